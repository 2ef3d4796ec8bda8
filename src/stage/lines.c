/* SPDX-License-Identifier: MPL-2.0 */
#include "stage/lines.h"

int lines_init(struct lines *l, struct source src, const struct lines_options *options,
               struct err *err)
{
    int r = turnstile_init(&l->turns[TURN_ADMIT], err);
    if (r < 0)
        return r;
    r = turnstile_init(&l->turns[TURN_COMMIT], err);
    if (r < 0) {
        turnstile_deinit(&l->turns[TURN_ADMIT]);
        return r;
    }
    pthread_mutex_init(&l->lock, NULL);
    ndjson_reader_init(&l->reader, src, options->max_line);
    l->reader.carry.secret = options->secret;
    l->unreadable = false;
    l->options = *options;
    return 0;
}

void lines_deinit(struct lines *l)
{
    ndjson_reader_deinit(&l->reader);
    pthread_mutex_destroy(&l->lock);
    turnstile_deinit(&l->turns[TURN_COMMIT]);
    turnstile_deinit(&l->turns[TURN_ADMIT]);
}

void lines_abort(struct lines *l)
{
    turnstile_abort(&l->turns[TURN_ADMIT]);
    turnstile_abort(&l->turns[TURN_COMMIT]);
}

static uint64_t n_lines(const struct ndjson_chunk *chunk)
{
    return chunk->too_long ? 1 : chunk->line + 1 - chunk->first_line;
}

int lines_work(struct lines *l, lines_fn *fn, void *worker, struct err *err)
{
    struct ndjson_chunk chunk;
    ndjson_chunk_init(&chunk, l->options.max_line);
    chunk.bytes.secret = l->options.secret;
    int r;
    for (;;) {
        pthread_mutex_lock(&l->lock);
        // The first failure names the cause; what another worker would read behind it does not.
        r = l->unreadable ? 0 : ndjson_fill(&l->reader, &chunk, l->options.target_bytes, err);
        l->unreadable |= r < 0;
        pthread_mutex_unlock(&l->lock);
        if (r <= 0)
            break;
        r = fn(worker, &chunk, err);
        if (r != 0)
            break;
        if (l->options.progress)
            progress_add(l->options.progress, n_lines(&chunk), chunk.bytes.len);
    }
    if (r < 0)
        lines_abort(l);
    ndjson_chunk_deinit(&chunk);
    return r < 0 ? r : 0;
}

int lines_enter(struct lines *l, enum lines_turn turn, const struct ndjson_chunk *chunk)
{
    return turnstile_enter(&l->turns[turn], chunk->seq) ? 0 : LINES_ABORTED;
}

void lines_leave(struct lines *l, enum lines_turn turn, const struct ndjson_chunk *chunk)
{
    turnstile_done(&l->turns[turn], chunk->seq);
}

bool line_is_blank(struct span line)
{
    for (size_t i = 0; i < line.len; i++)
        if (line.ptr[i] != ' ' && line.ptr[i] != '\t' && line.ptr[i] != '\r')
            return false;
    return true;
}
