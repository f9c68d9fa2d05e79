// What every program here needs of the system: the clock, open files, a bounded life.
#ifndef PROCESS_H
#define PROCESS_H

#include <stdint.h>

// Unix time in nanoseconds: comparable between processes of one machine.
int64_t now_ns(void);

// Each connection is an open file: use all that the machine allows.
void raise_open_file_limit(void);

// End with the parent, and after so many seconds in any case.
void limit_life(unsigned seconds);

// Print the reason, with what errno says, and exit with 1.
void fail(const char *what) __attribute__((noreturn));

// A TCP socket address on loopback.
struct sockaddr_in;
void loopback(struct sockaddr_in *address, int port);

#endif
