// An agent that costs next to nothing: prints lines at a steady rate, each with the time of
// its own write().
//
//   ticker lines RATE             {"type":"tick","n":<unix ns>}, RATE a second, for ever
//   ticker frames RATE            the same as the server would send it: one SSE frame in one
//                                 HTTP chunk. Appended to the file that the floor tails.
//   ticker numbered RATE LAST     {"type":"line","n":1} to LAST, then ends
#define _GNU_SOURCE
#include "process.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LIFE_SECONDS = 900, RECORD_OVERHEAD = 41 /* time, stream, tag, LF: see record.py */ };

static void write_all(const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t written = write(STDOUT_FILENO, bytes, length);
        if (written < 0)
            fail("ticker: write");
        bytes += written;
        length -= written;
    }
}

// The event as `GET /api/agent-stream` sends it, so that the floor pushes the same bytes.
static int format_frame(char *out, const char *line, int length)
{
    static int64_t offset = 400; // about where a log's first line ends
    char frame[256];
    offset += RECORD_OVERHEAD + length;
    int size = sprintf(frame, "id: %ld\nevent: tick\ndata: %.*s\n\n", (long)offset, length, line);
    return sprintf(out, "%x\r\n%s\r\n", size, frame);
}

int main(int argc, char **argv)
{
    const char *kind = argc > 2 ? argv[1] : "";
    int is_frames = !strcmp(kind, "frames"), is_numbered = !strcmp(kind, "numbered");
    if (!is_frames && strcmp(kind, "lines") && !(is_numbered && argc == 4)) {
        fprintf(stderr, "usage: ticker lines|frames RATE, or ticker numbered RATE LAST\n");
        return 2;
    }
    int64_t period_ns = (int64_t)(1e9 / atof(argv[2]));
    long last = is_numbered ? atol(argv[3]) : -1;
    alarm(LIFE_SECONDS);

    struct timespec due;
    clock_gettime(CLOCK_MONOTONIC, &due);
    for (long number = 1; last < 0 || number <= last; number++) {
        due.tv_nsec += period_ns % 1000000000;
        due.tv_sec += period_ns / 1000000000 + due.tv_nsec / 1000000000;
        due.tv_nsec %= 1000000000;
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);

        char line[128], frame[512];
        long n = is_numbered ? number : (long)now_ns();
        int length = sprintf(line, "{\"type\":\"%s\",\"n\":%ld}", is_numbered ? "line" : "tick", n);
        if (is_frames) {
            write_all(frame, format_frame(frame, line, length));
        } else {
            line[length] = '\n';
            write_all(line, length + 1);
        }
    }
    return 0;
}
