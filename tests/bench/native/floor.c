// The floor: what this machine can do at all. One process waits for a file to grow and sends
// what was added to every viewer, as it stands in the file: inotify, pread, send, no more.
//
//   floor PORT FILE      prints "ready" when it listens
#define _GNU_SOURCE
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LIFE_SECONDS = 900, MAX_VIEWERS = 20000, EVENTS = 256, BUFFER = 1 << 16 };

static const char HEAD[] = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                           "Transfer-Encoding: chunked\r\n\r\n";
static int viewers[MAX_VIEWERS], viewer_count;
static int epoll_fd;
static char buffer[BUFFER];

static void watch(int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event))
        fail("floor: epoll_ctl");
}

static int listen_on(int port)
{
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), on = 1;
    struct sockaddr_in address;
    loopback(&address, port);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 4096))
        fail("floor: listen");
    return listener;
}

static void accept_all(int listener)
{
    int fd, on = 1;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        watch(fd);
    }
}

// A viewer that cannot take all of it is dropped: half a chunk would break its response.
static void send_growth(int file, off_t *offset)
{
    ssize_t size;
    while ((size = pread(file, buffer, sizeof buffer, *offset)) > 0) {
        *offset += size;
        for (int i = 0; i < viewer_count; i++)
            if (send(viewers[i], buffer, size, MSG_NOSIGNAL) != size)
                shutdown(viewers[i], SHUT_RDWR); // its end is read, and it is closed, below
    }
}

static void forget(int fd)
{
    for (int i = 0; i < viewer_count; i++)
        if (viewers[i] == fd)
            viewers[i] = viewers[--viewer_count];
    close(fd);
}

static void answer(int fd)
{
    if (read(fd, buffer, sizeof buffer) <= 0)
        forget(fd);
    else if (viewer_count < MAX_VIEWERS && send(fd, HEAD, strlen(HEAD), MSG_NOSIGNAL) > 0)
        viewers[viewer_count++] = fd;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: floor PORT FILE\n");
        return 2;
    }
    raise_open_file_limit();
    limit_life(LIFE_SECONDS);
    epoll_fd = epoll_create1(0);

    int file = open(argv[2], O_RDONLY), inotify = inotify_init1(IN_NONBLOCK);
    if (file < 0 || inotify < 0 || inotify_add_watch(inotify, argv[2], IN_MODIFY) < 0)
        fail(argv[2]);
    off_t offset = lseek(file, 0, SEEK_END);
    int listener = listen_on(atoi(argv[1]));
    watch(inotify);
    watch(listener);
    puts("ready");
    fflush(stdout);

    for (;;) {
        struct epoll_event events[EVENTS];
        int count = epoll_wait(epoll_fd, events, EVENTS, -1);
        for (int i = 0; i < count; i++) {
            int fd = events[i].data.fd;
            if (fd == listener) {
                accept_all(listener);
            } else if (fd == inotify) {
                while (read(inotify, buffer, sizeof buffer) > 0)
                    ;
                send_growth(file, &offset);
            } else {
                answer(fd);
            }
        }
    }
}
