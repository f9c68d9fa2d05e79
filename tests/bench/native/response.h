// An HTTP/1.1 response, read piece by piece however it is split: head, chunks, end.
// https://www.rfc-editor.org/rfc/rfc9112.html#name-chunked-transfer-coding
#ifndef RESPONSE_H
#define RESPONSE_H

#include <stddef.h>
#include <stdint.h>

enum { MAX_HEAD = 4096 };

enum response_state {
    IN_HEAD,
    IN_CHUNK_SIZE,
    IN_CHUNK,
    IN_CHUNK_END,  // the CR LF after a chunk
    IN_LAST_END,   // the CR LF after the chunk of no bytes
    IN_SIZED_BODY, // Content-Length bytes
    IN_BODY,       // until the connection closes
    AT_END,
    IS_BROKEN,
};

struct response {
    enum response_state state;
    int status;
    int worker_pid;     // of the X-Worker-Pid header, 0 without one
    int64_t left;       // bytes of this chunk or body that are still to come
    int line_length;    // of the line that is being read
    int head_length;
    char *head;
};

// Called with each piece of the body.
typedef void body_reader(void *context, const char *bytes, size_t length);

void response_begin(struct response *response);
void response_feed(struct response *response, const char *bytes, size_t length,
                   body_reader *on_body, void *context);

#endif
