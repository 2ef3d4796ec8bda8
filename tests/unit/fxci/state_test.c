/* SPDX-License-Identifier: MPL-2.0 */
#include "state_test.h"

#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_TEXT = 64 << 20 };

int state_setup(void **state)
{
    struct place_of_state *p = calloc(1, sizeof *p);
    assert_non_null(p);
    (void)snprintf(p->path, sizeof p->path, "/tmp/weir-state-XXXXXX");
    assert_non_null(mkdtemp(p->path));
    const struct store_config config = {.url = p->path};
    assert_int_equal(store_open(&p->store, &config, NULL), 0);
    *state = p;
    return 0;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *at)
{
    (void)st;
    (void)flag;
    (void)at;
    return remove(path);
}

int state_teardown(void **state)
{
    struct place_of_state *p = *state;
    store_close(p->store);
    const int r = nftw(p->path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(p);
    return r;
}

struct state *opened(void **state, int64_t now_us, bool load)
{
    struct state *s = NULL;
    struct err err = {0};
    assert_int_equal(state_open(&s, ((struct place_of_state *)*state)->store, now_us, &err), 0);
    if (load && state_load(s, &err) != 0)
        fail_msg("load: %s", err.text);
    return s;
}

void saved(struct state *s)
{
    struct err err = {0};
    if (state_save(s, &err) != 0)
        fail_msg("save: %s", err.text);
}

void put_text(void **state, const char *key, const char *text)
{
    struct store *store = ((struct place_of_state *)*state)->store;
    assert_int_equal(store_put(store, key, span_str(text), NULL, NULL, NULL), 0);
}

char *get_text(void **state, const char *key)
{
    CLEANUP(buf_deinit) struct buf text = BUF_INIT(MAX_TEXT);
    const int r = store_get_all(((struct place_of_state *)*state)->store, key, &text, NULL, NULL);
    if (r == E_ABSENT)
        return strdup("absent");
    assert_int_equal(r, 0);
    return span_to_text(buf_span(&text));
}

void free_text(char **text)
{
    free(*text);
}

void fail_event(struct state *s, const char *body, const char *reason)
{
    const struct state_entry e = {.kind = STATE_EVENT,
                                  .exchange = span_str("exchange/x"),
                                  .routing_key = span_str("a.b"),
                                  .body = span_str(body),
                                  .reason = span_str(reason)};
    assert_int_equal(state_fail(s, &e, NULL, NULL), 0);
}

void want(struct state *s, const char *task_id)
{
    assert_int_equal(state_want(s, span_str(task_id), INT64_MIN, NULL), 0);
}

static int list_entry(void *arg, const struct state_entry *e, struct err *err)
{
    struct buf *out = arg;
    CLEANUP(buf_deinit) struct buf line = BUF_INIT(MAX_TEXT);
    assert_int_equal(state_entry_json(&line, e, err), 0);
    const struct span text = buf_span(&line);
    const size_t n_id = strlen("{\"id\":\"") + STATE_ID_BYTES - 1 + strlen("\",");
    assert_int_equal(buf_append_byte(out, '{', err), 0);
    assert_int_equal(buf_append(out, text.ptr + n_id, text.len - n_id, err), 0);
    return buf_append_byte(out, '\n', err);
}

char *listed(struct state *s)
{
    CLEANUP(buf_deinit) struct buf out = BUF_INIT(MAX_TEXT);
    assert_int_equal(state_list(s, list_entry, &out, NULL), 0);
    return span_to_text(buf_span(&out));
}

struct search {
    const char *part;
    char *id;
    unsigned n;
};

static int search_entry(void *arg, const struct state_entry *e, struct err *err)
{
    struct search *search = arg;
    CLEANUP(buf_deinit) struct buf line = BUF_INIT(MAX_TEXT);
    assert_int_equal(state_entry_json(&line, e, err), 0);
    TEXT text = span_to_text(buf_span(&line));
    if (strstr(text, search->part)) {
        memcpy(search->id, e->id, STATE_ID_BYTES);
        search->n++;
    }
    return 0;
}

void id_of(struct state *s, const char *part, char id[STATE_ID_BYTES])
{
    struct search search = {.part = part, .id = id};
    assert_int_equal(state_list(s, search_entry, &search, NULL), 0);
    assert_int_equal(search.n, 1);
}
