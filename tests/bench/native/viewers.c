// Many viewers of event streams in one cheap process. Viewer i watches the i-th path, modulo.
//
//   viewers live PORT VIEWERS PATH…
//       Connects them all, prints "ready", and waits for lines on stdin: "measure" begins to
//       measure, "stop" ends it and prints the report. Latency is from the time in an event
//       ("n":<unix ns>) to its arrival here, of events that were made in between.
//   viewers drain PORT VIEWERS PATH…
//       Reads each response to its end, as fast as it comes, and prints the report.
//   viewers exact PORT VIEWERS LAST PATH
//       Watches a session that prints the numbers from 1 to LAST, comes back with
//       Last-Event-ID whenever the connection breaks, and reports what was missed or came
//       twice, once each viewer has its `done`, or at once when told to "stop".
//
// The report is one line of JSON. End of stdin ends the process.
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
#include <sys/resource.h>
#include <unistd.h>

enum {
    LIFE_SECONDS = 600,
    CONNECTING_AT_ONCE = 64,
    BUFFER = 1 << 18,
    EPOLL_EVENTS = 512,
    MAX_WORKERS = 256,
};
static const int64_t SECOND = 1000000000;
static const int64_t LAST_ARRIVALS_NS = 5 * SECOND; // patience for what was made before "stop"
static const int64_t RECONNECT_NS = SECOND / 20;

enum mode { LIVE, DRAIN, EXACT };
enum viewer_state { IDLE, CONNECTING, WAITING, WATCHING, FINISHED };

struct viewer {
    int fd;
    enum viewer_state state;
    int64_t connect_at;
    int64_t newest; // the last number that it got
    uint64_t events;
    int has_done;
    struct response response;
    struct event_stream stream;
};

static enum mode mode;
static int port, viewer_count, path_count, epoll_fd;
static char **paths;
static int64_t last_number;
static struct viewer *viewers;
static char buffer[BUFFER];

static int opened, connecting, watching, finished;
static int answered, refused, broken, breaks; // since the start
static int64_t missing, twice, done_events, pings;
static uint64_t bytes, events;
static int64_t measure_from = INT64_MAX, measure_until = INT64_MAX;
static int64_t wall_from, wall_until, cpu_from, cpu_until;
static int is_stopping;
static int64_t started_at, connected_at, arrived_at;

static int64_t *latencies;
static size_t latency_count, latency_size;

static int worker_pids[MAX_WORKERS], worker_viewers[MAX_WORKERS], worker_count;

static int64_t cpu_ns(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * SECOND
        + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1000LL;
}

static void measure(void)
{
    wall_from = measure_from = now_ns();
    cpu_from = cpu_ns();
    bytes = events = pings = 0;
}

static void stop_measuring(void)
{
    wall_until = measure_until = now_ns();
    cpu_until = cpu_ns();
}

static void count_worker(int pid)
{
    int i = 0;
    while (i < worker_count && worker_pids[i] != pid)
        i++;
    if (i == MAX_WORKERS)
        return;
    if (i == worker_count)
        worker_pids[worker_count++] = pid;
    worker_viewers[i]++;
}

// --- what arrives ------------------------------------------------------------------------

static void add_latency(int64_t latency)
{
    if (latency_count == latency_size) {
        latency_size = latency_size ? 2 * latency_size : 1 << 16;
        latencies = realloc(latencies, latency_size * sizeof *latencies);
    }
    latencies[latency_count++] = latency;
}

static void check_number(struct viewer *viewer, int64_t number)
{
    if (number <= viewer->newest) {
        twice++;
        return;
    }
    missing += number - viewer->newest - 1;
    viewer->newest = number;
}

static void on_event(void *context, const struct event *event)
{
    struct viewer *viewer = context;
    if (event->is_ping) {
        pings++;
        return;
    }
    events++;
    if (event->is_done) {
        done_events++;
        viewer->has_done = 1;
    } else if (event->number >= 0 && mode == EXACT) {
        check_number(viewer, event->number);
    } else if (event->number >= 0 && mode == LIVE) {
        viewer->newest = event->number;
        if (event->number >= measure_from && event->number < measure_until) {
            viewer->events++;
            add_latency(arrived_at - event->number);
        }
    }
}

static void on_body(void *context, const char *piece, size_t length)
{
    struct viewer *viewer = context;
    events_feed(&viewer->stream, piece, length, on_event, viewer);
}

// --- connections -------------------------------------------------------------------------

static void begin_connecting(struct viewer *viewer)
{
    response_begin(&viewer->response);
    events_begin(&viewer->stream);
    viewer->fd = connection_open(epoll_fd, viewer, port, 0);
    viewer->state = CONNECTING;
    connecting++;
}

static void send_request(struct viewer *viewer)
{
    const char *path = paths[(viewer - viewers) % path_count];
    viewer->state = WAITING;
    // A failed write shows as an error of the connection, which the next wait reports.
    if (connection_ask(viewer->fd, port, path, viewer->stream.last_id)) {
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = viewer};
        epoll_ctl(epoll_fd, EPOLL_CTL_MOD, viewer->fd, &event);
    }
}

static void disconnect(struct viewer *viewer, enum viewer_state next)
{
    if (viewer->state == CONNECTING || viewer->state == WAITING)
        connecting--;
    if (viewer->state == WATCHING)
        watching--;
    close(viewer->fd);
    viewer->state = next;
    viewer->connect_at = now_ns() + RECONNECT_NS;
    if (next == FINISHED)
        finished++;
}

static void lose(struct viewer *viewer)
{
    breaks++;
    disconnect(viewer, mode == EXACT ? IDLE : FINISHED);
}

static void on_head(struct viewer *viewer)
{
    connecting--;
    watching++;
    viewer->state = WATCHING;
    if (viewer->response.status == 200) {
        answered++;
        count_worker(viewer->response.worker_pid);
    } else if (!refused++) {
        fprintf(stderr, "viewers: status %d for %s\n", viewer->response.status,
                paths[(viewer - viewers) % path_count]);
    }
}

static void receive(struct viewer *viewer)
{
    ssize_t length = read(viewer->fd, buffer, sizeof buffer);
    if (length < 0 && errno == EAGAIN)
        return;
    if (length <= 0) {
        lose(viewer);
        return;
    }
    arrived_at = now_ns();
    bytes += length;

    int was_in_head = viewer->response.state == IN_HEAD;
    response_feed(&viewer->response, buffer, length, on_body, viewer);
    if (was_in_head && viewer->response.state != IN_HEAD)
        on_head(viewer);

    if (viewer->response.state == IS_BROKEN) {
        if (!broken++)
            fprintf(stderr, "viewers: broken HTTP: %.*s\n", (int)(length < 300 ? length : 300),
                    buffer);
        lose(viewer);
    } else if (viewer->has_done && mode == EXACT) {
        disconnect(viewer, FINISHED);
    } else if (viewer->response.state == AT_END) {
        if (mode == DRAIN)
            disconnect(viewer, FINISHED);
        else
            lose(viewer);
    }
}

static void connect_some(void)
{
    while (opened < viewer_count && connecting < CONNECTING_AT_ONCE)
        begin_connecting(&viewers[opened++]);
    if (mode != EXACT || !breaks)
        return;
    int64_t now = now_ns();
    for (int i = 0; i < opened && connecting < CONNECTING_AT_ONCE; i++)
        if (viewers[i].state == IDLE && viewers[i].connect_at <= now)
            begin_connecting(&viewers[i]);
}

// --- the report --------------------------------------------------------------------------

static int compare(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

static double percentile_ms(double fraction)
{
    if (!latency_count)
        return -1;
    return latencies[(size_t)(fraction * (latency_count - 1) + 0.5)] / 1e6;
}

// Events that a viewer should have seen and has not, though there was time: they count as
// old as they are by now. Viewers of different sessions may see one more or less at each end.
static int64_t add_late(uint64_t most)
{
    int64_t late = 0, age = now_ns() - measure_until;
    uint64_t expected = path_count == 1 || most < 2 ? most : most - 2;
    for (int i = 0; i < viewer_count; i++)
        for (uint64_t seen = viewers[i].events; seen < expected; seen++, late++)
            add_latency(age);
    return late;
}

static void report(void)
{
    uint64_t most = 0;
    for (int i = 0; i < viewer_count; i++) {
        most = viewers[i].events > most ? viewers[i].events : most;
        if (mode == EXACT)
            missing += last_number - viewers[i].newest;
    }
    int64_t late = add_late(most);
    qsort(latencies, latency_count, sizeof *latencies, compare);
    double seconds = (wall_until - wall_from) / 1e9;
    printf("{\"viewers\":%d,\"answered\":%d,\"refused\":%d,\"broken\":%d,\"breaks\":%d,"
           "\"watching\":%d,\"done\":%ld,\"pings\":%ld,\"missing\":%ld,\"twice\":%ld,",
           viewer_count, answered, refused, broken, breaks, watching, (long)done_events,
           (long)pings, (long)missing, (long)twice);
    printf("\"latencies\":%zu,\"late\":%ld,\"connect_seconds\":%.3f,"
           "\"p50_ms\":%.4f,\"p99_ms\":%.4f,\"max_ms\":%.4f,",
           latency_count, (long)late, (connected_at - started_at) / 1e9, percentile_ms(0.5),
           percentile_ms(0.99), percentile_ms(1));
    printf("\"bytes\":%lu,\"events\":%lu,\"seconds\":%.6f,\"cpu_share\":%.4f,\"workers\":{",
           (unsigned long)bytes, (unsigned long)events, seconds,
           (cpu_until - cpu_from) / 1e9 / seconds);
    for (int i = 0; i < worker_count; i++)
        printf("%s\"%d\":%d", i ? "," : "", worker_pids[i], worker_viewers[i]);
    printf("}}\n");
}

// --- the loop ----------------------------------------------------------------------------

static void obey(void)
{
    char order[64];
    read_order(order, sizeof order);
    if (!strcmp(order, "measure\n")) {
        measure();
    } else if (!strcmp(order, "stop\n")) {
        stop_measuring();
        is_stopping = 1;
    } else {
        fprintf(stderr, "viewers: unknown order %s", order);
        exit(2);
    }
}

// Whether each event that was made before "stop" has come, or its time is over.
static int has_all(void)
{
    if (!latency_count || now_ns() > measure_until + LAST_ARRIVALS_NS)
        return 1;
    for (int i = 0; i < viewer_count; i++)
        if (viewers[i].state == WATCHING && viewers[i].newest < measure_until)
            return 0;
    return 1;
}

static void wait_for_something(void)
{
    static struct epoll_event ready[EPOLL_EVENTS];
    int count = epoll_wait(epoll_fd, ready, EPOLL_EVENTS, 20);
    for (int i = 0; i < count; i++) {
        struct viewer *viewer = ready[i].data.ptr;
        if (!viewer)
            obey();
        else if (viewer->state == CONNECTING && !(ready[i].events & EPOLLERR))
            send_request(viewer);
        else if (viewer->state == CONNECTING)
            lose(viewer);
        else
            receive(viewer);
    }
}

static void run(void)
{
    int is_ready = 0;
    started_at = connected_at = now_ns();
    if (mode != LIVE)
        measure();
    for (;;) {
        connect_some();
        wait_for_something();
        if (mode == LIVE && !is_ready && opened == viewer_count && !connecting) {
            is_ready = 1;
            connected_at = now_ns();
            puts("ready");
            fflush(stdout);
        }
        if (is_stopping ? mode != LIVE || has_all() : mode != LIVE && finished == viewer_count)
            break;
    }
    if (mode != LIVE)
        stop_measuring();
    report();
}

int main(int argc, char **argv)
{
    const char *name = argc > 4 ? argv[1] : "";
    mode = !strcmp(name, "drain") ? DRAIN : !strcmp(name, "exact") ? EXACT : LIVE;
    if ((mode == LIVE && strcmp(name, "live")) || (mode == EXACT && argc != 6)) {
        fprintf(stderr, "usage: viewers live|drain PORT VIEWERS PATH…, "
                        "or viewers exact PORT VIEWERS LAST PATH\n");
        return 2;
    }
    port = atoi(argv[2]);
    viewer_count = atoi(argv[3]);
    paths = argv + (mode == EXACT ? 5 : 4);
    path_count = argc - (mode == EXACT ? 5 : 4);
    last_number = mode == EXACT ? atoll(argv[4]) : 0;
    viewers = calloc(viewer_count, sizeof *viewers);

    epoll_fd = connections_begin(LIFE_SECONDS);
    run();
    return 0;
}
