// A client's side of many connections to one server on loopback, none of which is waited for.
#ifndef CONNECTION_H
#define CONNECTION_H

#include <stddef.h>

// An epoll descriptor that tells of stdin, with a NULL pointer, and of all that is opened below.
// The process gets all the open files that it may have, and lives so many seconds at most.
int connections_begin(unsigned life_seconds);

// Begin to connect: a socket that epoll_fd tells of, as `client`, once it can be written to. At
// most receive_bytes that nobody reads lie here, the rest at the server; 0: as the system has it.
int connection_open(int epoll_fd, void *client, int port, int receive_bytes);

// Ask for a path, after the event with an id if that is not empty; 0 if that fails.
int connection_ask(int fd, int port, const char *path, const char *last_id);

// Read a line from stdin; its end ends the process.
void read_order(char *order, size_t size);

#endif
