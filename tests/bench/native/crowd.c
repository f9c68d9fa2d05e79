// A crowd of clients that behave badly, in one cheap process.
//
//   crowd PORT SILENT SILENT_PATH COMING PATH
//
// Waits for lines on stdin, and answers each with one line of JSON when it is done:
//
//   silence   SILENT clients connect, ask for their path, and never read a byte.
//   storm     COMING clients connect at the same moment. Done when each has its answer.
//   arrive    The same, but done when each has its first event.
//   cut       They all hang up at once, and come back as an EventSource does: each after the
//             time that its own `retry:` asked for. Done when each has its answer again.
//   leave     They hang up for good.
//
// "refused" are answers other than 200, "failed" are connections that ended before one, since
// the start; "seconds" is the time that the order took. End of stdin ends the process.
#define _GNU_SOURCE
#include "connection.h"
#include "events.h"
#include "process.h"
#include "response.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum {
    LIFE_SECONDS = 600,
    BUFFER = 1 << 16,
    EPOLL_EVENTS = 512,
    RECEIVE_BUFFER = 4096, // a silent client's: the rest lies at the server
    DEFAULT_RETRY_MS = 1000,
};
static const int64_t MILLISECOND = 1000000;

enum client_state { AWAY, CONNECTING, WAITING, WATCHING };

struct client {
    int fd;
    enum client_state state;
    int64_t connect_at; // 0: not to come back
    const char *path;
    int has_event;
    struct response response;
    struct event_stream stream;
};

static int port, silent_count, coming_count, epoll_fd;
static struct client *silent, *coming;
static char buffer[BUFFER];
static int watching, informed, refused, failed;
static int64_t order_at;
static const char *order; // being obeyed, NULL if none

// --- one client ----------------------------------------------------------------------------

static int is_silent(const struct client *client)
{
    return client >= silent && client < silent + silent_count;
}

static void begin_connecting(struct client *client)
{
    response_begin(&client->response);
    events_begin(&client->stream);
    int receive_bytes = is_silent(client) ? RECEIVE_BUFFER : 0;
    client->fd = connection_open(epoll_fd, client, port, receive_bytes);
    client->state = CONNECTING;
    client->connect_at = 0;
    client->has_event = 0;
}

static void hang_up(struct client *client, int64_t come_back_at)
{
    if (client->state == WATCHING)
        watching--;
    informed -= client->has_event;
    client->has_event = 0;
    if (client->state != AWAY)
        close(client->fd);
    client->state = AWAY;
    client->connect_at = come_back_at;
}

static int64_t when_to_come_back(const struct client *client)
{
    int retry_ms = client->stream.retry_ms;
    return now_ns() + (retry_ms ? retry_ms : DEFAULT_RETRY_MS) * MILLISECOND;
}

static void lose(struct client *client)
{
    failed++;
    hang_up(client, when_to_come_back(client));
}

static void send_request(struct client *client)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
    client->state = WAITING;
    if (!connection_ask(client->fd, port, client->path, client->stream.last_id))
        lose(client);
    else // a silent one is never waited for again, whatever comes
        epoll_ctl(epoll_fd, is_silent(client) ? EPOLL_CTL_DEL : EPOLL_CTL_MOD, client->fd, &event);
}

static void on_event(void *context, const struct event *event)
{
    struct client *client = context; // what it says nobody checks: see viewers.c
    (void)event;
    informed += !client->has_event;
    client->has_event = 1;
}

static void on_body(void *context, const char *piece, size_t length)
{
    struct client *client = context;
    events_feed(&client->stream, piece, length, on_event, client);
}

static void receive(struct client *client)
{
    ssize_t length = read(client->fd, buffer, sizeof buffer - 1);
    if (length < 0 && errno == EAGAIN)
        return;
    if (length <= 0) {
        lose(client);
        return;
    }
    buffer[length] = 0;
    int was_in_head = client->response.state == IN_HEAD;
    response_feed(&client->response, buffer, length, on_body, client);
    if (was_in_head && client->response.state != IN_HEAD) {
        client->state = WATCHING;
        watching++;
        if (client->response.status != 200) {
            refused++;
            hang_up(client, when_to_come_back(client));
            return;
        }
    }
    if (client->response.state == AT_END || client->response.state == IS_BROKEN)
        lose(client);
}

static void on_ready(struct client *client, unsigned events)
{
    if (client->state == CONNECTING && !(events & (EPOLLERR | EPOLLHUP)))
        send_request(client);
    else if (client->state == CONNECTING)
        lose(client);
    else
        receive(client);
}

// --- orders --------------------------------------------------------------------------------

static void reply(void)
{
    printf("{\"order\":\"%s\",\"watching\":%d,\"refused\":%d,\"failed\":%d,"
           "\"seconds\":%.3f}\n",
           order, watching, refused, failed, (now_ns() - order_at) / 1e9);
    fflush(stdout);
    order = NULL;
}

static void obey(void)
{
    char line[64];
    read_order(line, sizeof line);
    order_at = now_ns();
    if (!strcmp(line, "silence\n")) {
        order = "silence";
        for (int i = 0; i < silent_count; i++)
            begin_connecting(&silent[i]);
    } else if (!strcmp(line, "storm\n") || !strcmp(line, "arrive\n")) {
        order = *line == 's' ? "storm" : "arrive";
        for (int i = 0; *line == 'a' && i < coming_count; i++)
            *coming[i].stream.last_id = 0; // a resumed stream that is quiet has no first event
        for (int i = 0; i < coming_count; i++)
            begin_connecting(&coming[i]);
    } else if (!strcmp(line, "cut\n")) {
        order = "cut";
        for (int i = 0; i < coming_count; i++)
            hang_up(&coming[i], when_to_come_back(&coming[i]));
    } else if (!strcmp(line, "leave\n")) {
        order = "leave";
        for (int i = 0; i < coming_count; i++)
            hang_up(&coming[i], 0);
        reply();
    } else {
        fprintf(stderr, "crowd: unknown order %s", line);
        exit(2);
    }
}

static int is_done(void)
{
    if (!strcmp(order, "arrive"))
        return informed == coming_count;
    if (strcmp(order, "silence"))
        return watching == coming_count;
    for (int i = 0; i < silent_count; i++)
        if (silent[i].state == CONNECTING)
            return 0;
    return 1;
}

static void come_back(void)
{
    int64_t now = now_ns();
    for (int i = 0; i < coming_count; i++)
        if (coming[i].state == AWAY && coming[i].connect_at && coming[i].connect_at <= now)
            begin_connecting(&coming[i]);
}

static void run(void)
{
    static struct epoll_event ready[EPOLL_EVENTS];
    for (;;) {
        int count = epoll_wait(epoll_fd, ready, EPOLL_EVENTS, 5);
        for (int i = 0; i < count; i++) {
            struct client *client = ready[i].data.ptr;
            if (!client)
                obey();
            else if (client->state != AWAY)
                on_ready(client, ready[i].events);
        }
        come_back();
        if (order && is_done())
            reply();
    }
}

static struct client *make_clients(int count, const char *path)
{
    struct client *clients = calloc(count, sizeof *clients);
    for (int i = 0; i < count; i++)
        clients[i].path = path;
    return clients;
}

int main(int argc, char **argv)
{
    if (argc != 6) {
        fprintf(stderr, "usage: crowd PORT SILENT SILENT_PATH COMING PATH\n");
        return 2;
    }
    port = atoi(argv[1]);
    silent_count = atoi(argv[2]);
    coming_count = atoi(argv[4]);
    silent = make_clients(silent_count, argv[3]);
    coming = make_clients(coming_count, argv[5]);

    epoll_fd = connections_begin(LIFE_SECONDS);
    run();
    return 0;
}
