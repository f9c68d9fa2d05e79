// Server-Sent Events, read piece by piece however they are split.
// https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
#ifndef EVENTS_H
#define EVENTS_H

#include <stddef.h>
#include <stdint.h>

enum { MAX_ID = 120 };

struct event {
    int is_done;
    int is_ping;
    int64_t number; // of "n":<digits> in the data, -1 without one
};

struct event_stream {
    struct event current;
    int has_data;
    char new_id[MAX_ID];
    char last_id[MAX_ID]; // of the last whole event: what a reconnect asks for
    int retry_ms;         // when the server wants its client back, 0 before it has said so
    char *rest;           // a line that has not ended yet
    size_t rest_length, rest_size;
};

typedef void event_reader(void *context, const struct event *event);

// For a new response; the last id stays.
void events_begin(struct event_stream *stream);
void events_feed(struct event_stream *stream, const char *bytes, size_t length,
                 event_reader *on_event, void *context);

#endif
