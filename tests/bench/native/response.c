#define _GNU_SOURCE
#include "response.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

void response_begin(struct response *response)
{
    free(response->head);
    memset(response, 0, sizeof *response);
}

static const char *header(const struct response *response, const char *name)
{
    const char *found = strcasestr(response->head, name);
    return found ? found + strlen(name) : NULL;
}

static void end_head(struct response *response)
{
    response->status = atoi(response->head + strlen("HTTP/1.1 "));
    const char *pid = header(response, "\r\nX-Worker-Pid: ");
    const char *length = header(response, "\r\nContent-Length: ");
    response->worker_pid = pid ? atoi(pid) : 0;
    if (header(response, "\r\nTransfer-Encoding: chunked\r\n")) {
        response->state = IN_CHUNK_SIZE;
    } else if (length) {
        response->left = atoll(length);
        response->state = response->left ? IN_SIZED_BODY : AT_END;
    } else {
        response->state = IN_BODY;
    }
    free(response->head);
    response->head = NULL;
}

static void read_head(struct response *response, char byte)
{
    if (!response->head)
        response->head = malloc(MAX_HEAD + 1);
    if (response->head_length == MAX_HEAD) {
        response->state = IS_BROKEN;
        return;
    }
    response->head[response->head_length++] = byte;
    response->head[response->head_length] = 0;
    if (byte == '\n' && response->head_length >= 4
        && !strcmp(response->head + response->head_length - 4, "\r\n\r\n"))
        end_head(response);
}

static void read_chunk_size(struct response *response, char byte)
{
    static const int AFTER_CR = -1;
    if (response->line_length == AFTER_CR && byte == '\n') {
        response->state = response->left ? IN_CHUNK : IN_LAST_END;
        response->line_length = 0;
    } else if (response->line_length > 0 && byte == '\r') {
        response->line_length = AFTER_CR;
    } else if (response->line_length >= 0 && response->line_length < 12
               && isxdigit((unsigned char)byte)) {
        int digit = isdigit((unsigned char)byte) ? byte - '0' : tolower(byte) - 'a' + 10;
        response->left = response->left * 16 + digit;
        response->line_length++;
    } else {
        response->state = IS_BROKEN;
    }
}

static void read_chunk_end(struct response *response, char byte)
{
    if (byte != "\r\n"[response->line_length])
        response->state = IS_BROKEN;
    else if (++response->line_length == 2) {
        response->state = response->state == IN_LAST_END ? AT_END : IN_CHUNK_SIZE;
        response->line_length = 0;
    }
}

void response_feed(struct response *response, const char *bytes, size_t length,
                   body_reader *on_body, void *context)
{
    const char *end = bytes + length;
    while (bytes < end) {
        switch (response->state) {
        case IN_HEAD:
            read_head(response, *bytes++);
            break;
        case IN_CHUNK_SIZE:
            read_chunk_size(response, *bytes++);
            break;
        case IN_CHUNK_END:
        case IN_LAST_END:
            read_chunk_end(response, *bytes++);
            break;
        case IN_CHUNK:
        case IN_SIZED_BODY: {
            size_t piece = end - bytes;
            if ((int64_t)piece > response->left)
                piece = response->left;
            on_body(context, bytes, piece);
            bytes += piece;
            response->left -= piece;
            if (response->left == 0)
                response->state = response->state == IN_CHUNK ? IN_CHUNK_END : AT_END;
            break;
        }
        case IN_BODY:
            on_body(context, bytes, end - bytes);
            return;
        case AT_END: // nothing may follow: one request was made
            response->state = IS_BROKEN;
            return;
        case IS_BROKEN:
            return;
        }
    }
}
