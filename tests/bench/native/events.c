#define _GNU_SOURCE
#include "events.h"

#include <stdlib.h>
#include <string.h>

static void begin_event(struct event_stream *stream)
{
    stream->current = (struct event){.number = -1};
    stream->has_data = 0;
}

void events_begin(struct event_stream *stream)
{
    begin_event(stream);
    stream->rest_length = 0;
    memcpy(stream->new_id, stream->last_id, MAX_ID);
}

static int64_t number_in(const char *data, size_t length)
{
    static const char KEY[] = "\"n\":";
    const char *end = data + length;
    const char *digit = memmem(data, length, KEY, strlen(KEY));
    if (!digit)
        return -1;
    int64_t number = 0;
    for (digit += strlen(KEY); digit < end && *digit >= '0' && *digit <= '9'; digit++)
        number = number * 10 + (*digit - '0');
    return number;
}

static int is_text(const char *value, size_t length, const char *text)
{
    return length == strlen(text) && !memcmp(value, text, length);
}

static int is_field(const char *line, size_t length, const char *name)
{
    return length >= strlen(name) && !memcmp(line, name, strlen(name));
}

static void take_line(struct event_stream *stream, const char *line, size_t length,
                      event_reader *on_event, void *context)
{
    if (length == 0) {
        memcpy(stream->last_id, stream->new_id, MAX_ID);
        if (stream->has_data)
            on_event(context, &stream->current);
        begin_event(stream);
    } else if (is_field(line, length, "data: ")) {
        stream->has_data = 1;
        stream->current.number = number_in(line + 6, length - 6);
    } else if (is_field(line, length, "event: ")) {
        stream->current.is_done = is_text(line + 7, length - 7, "done");
        stream->current.is_ping = is_text(line + 7, length - 7, "ping");
    } else if (is_field(line, length, "retry: ")) {
        stream->retry_ms = 0;
        for (const char *digit = line + 7; digit < line + length; digit++)
            stream->retry_ms = stream->retry_ms * 10 + (*digit - '0');
    } else if (is_field(line, length, "id: ") && length - 4 < MAX_ID) {
        memcpy(stream->new_id, line + 4, length - 4);
        stream->new_id[length - 4] = 0;
    }
}

static void keep(struct event_stream *stream, const char *bytes, size_t length)
{
    if (stream->rest_length + length > stream->rest_size) {
        stream->rest_size = 2 * (stream->rest_length + length);
        stream->rest = realloc(stream->rest, stream->rest_size);
    }
    memcpy(stream->rest + stream->rest_length, bytes, length);
    stream->rest_length += length;
}

void events_feed(struct event_stream *stream, const char *bytes, size_t length,
                 event_reader *on_event, void *context)
{
    const char *end = bytes + length, *newline;
    while ((newline = memchr(bytes, '\n', end - bytes))) {
        if (stream->rest_length) {
            keep(stream, bytes, newline - bytes);
            take_line(stream, stream->rest, stream->rest_length, on_event, context);
            stream->rest_length = 0;
        } else {
            take_line(stream, bytes, newline - bytes, on_event, context);
        }
        bytes = newline + 1;
    }
    if (bytes < end)
        keep(stream, bytes, end - bytes);
}
