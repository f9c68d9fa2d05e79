#define _GNU_SOURCE
#include "connection.h"
#include "process.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

int connections_begin(unsigned life_seconds)
{
    raise_open_file_limit();
    limit_life(life_seconds);
    int epoll_fd = epoll_create1(0);
    struct epoll_event orders = {.events = EPOLLIN, .data.ptr = NULL};
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, STDIN_FILENO, &orders);
    return epoll_fd;
}

int connection_open(int epoll_fd, void *client, int port, int receive_bytes)
{
    int on = 1;
    struct sockaddr_in address;
    loopback(&address, port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (fd < 0)
        fail("socket");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (receive_bytes)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof receive_bytes);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) && errno != EINPROGRESS)
        fail("connect");
    struct epoll_event event = {.events = EPOLLOUT, .data.ptr = client};
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event);
    return fd;
}

int connection_ask(int fd, int port, const char *path, const char *last_id)
{
    char request[2048];
    const char *token = getenv("TOKEN");
    int length = snprintf(request, sizeof request,
                          "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAccept: text/event-stream\r\n"
                          "%s%s%s%s%s%s\r\n",
                          path, port, token ? "Authorization: Bearer " : "", token ? token : "",
                          token ? "\r\n" : "", *last_id ? "Last-Event-ID: " : "", last_id,
                          *last_id ? "\r\n" : "");
    return write(fd, request, length) == length;
}

void read_order(char *order, size_t size)
{
    ssize_t length = read(STDIN_FILENO, order, size - 1);
    if (length <= 0)
        exit(0);
    order[length] = 0;
}
