/* SPDX-License-Identifier: MPL-2.0 */
#include "pair_steps.h"

#include "base/source.h"
#include "codec/base64.h"

#include <fnmatch.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

int pair_step(struct pair *p, int role, const struct pair_how *how)
{
    struct pair_how step = *how;
    step.retry_limit = 1;
    step.quiet = true;
    return pair_wait(pair_spawn(p, role, &step, 0));
}

bool pair_alternate(struct pair *p, const struct pair_how *how)
{
    int status[2] = {1, 1};
    for (int i = 0; i < 6 && (status[0] != 0 || status[1] != 0); i++)
        for (int role = 0; role < 2; role++)
            if (status[role] != 0)
                status[role] = pair_step(p, role, how);
    return status[0] == 0 && status[1] == 0;
}

void pair_run_until(struct pair *p, int role, const struct pair_how *how, const char *at,
                    unsigned nth)
{
    struct pair_how doomed = *how;
    doomed.fate.at = at;
    doomed.fate.nth = nth;
    doomed.fate.signal = SIGKILL;
    const int status = pair_wait(pair_spawn(p, role, &doomed, 0));
    if (status != 128 + SIGKILL)
        fail_msg("server %c ended with %d, not at \"%s\"", role == 0 ? 'A' : 'B', status, at);
}

int pair_spawn_stopping(struct pair *p, int role, const struct pair_how *how, const char *at)
{
    struct pair_how stopping = *how;
    stopping.fate.at = at;
    stopping.fate.signal = SIGSTOP;
    const int pid = pair_spawn(p, role, &stopping, 0);
    pair_await_stop(pid);
    return pid;
}

void pair_await_stop(int pid)
{
    int status = 0;
    assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
    if (!WIFSTOPPED(status))
        fail_msg("a server ended (%d) and did not stop", status);
}

void pair_go_on(int pid)
{
    assert_int_equal(kill(pid, SIGCONT), 0);
}

static const char *full_path(struct pair *p, int role, const char *bucket, const char *key)
{
    static char path[2048];
    pair_path(p, role, bucket, path, sizeof path);
    const size_t len = strlen(path);
    (void)snprintf(path + len, sizeof path - len, "%s", key);
    return path;
}

char *pair_read_file(const char *path)
{
    FILE *f = fopen(path, "r");
    struct buf text = BUF_INIT(64 << 20);
    char block[4096];
    size_t n;
    while (f && (n = fread(block, 1, sizeof block, f)) > 0)
        assert_int_equal(buf_append(&text, block, n, NULL), 0);
    if (f)
        (void)fclose(f);
    assert_int_equal(buf_append_byte(&text, '\0', NULL), 0);
    return (char *)text.data;
}

const char *pair_file(struct pair *p, const char *name)
{
    static char paths[4][512];
    static unsigned next;
    char *path = paths[next++ % 4];
    (void)snprintf(path, sizeof paths[0], "%s/%s", p->root, name);
    return path;
}

bool pair_has(struct pair *p, int role, const char *bucket, const char *key)
{
    return access(full_path(p, role, bucket, key), F_OK) == 0;
}

char *pair_get(struct pair *p, int role, const char *bucket, const char *key)
{
    return pair_has(p, role, bucket, key) ? pair_read_file(full_path(p, role, bucket, key)) : NULL;
}

/* As a store of directories does it: a new inode and a new time. */
void pair_put(struct pair *p, int role, const char *bucket, const char *key, const char *text)
{
    char folder[1024];
    struct store *store;
    pair_path(p, role, bucket, folder, sizeof folder);
    const struct store_config config = {.url = folder};
    assert_int_equal(store_open(&store, &config, NULL), 0);
    assert_int_equal(store_put(store, key, span_str(text), NULL, NULL, NULL), 0);
    store_close(store);
}

void pair_remove(struct pair *p, int role, const char *bucket, const char *key)
{
    assert_int_equal(unlink(full_path(p, role, bucket, key)), 0);
}

static bool own_line(const char *line, const char *own, const char **key)
{
    const size_t len = strlen(own);
    *key = line + len;
    return strncmp(line, own, len) == 0;
}

/* The keys below a server's prefix and a folder, one a line. */
static char *keys_below(struct pair *p, int role, const char *bucket, const char *folder)
{
    struct buf out = BUF_INIT(16 << 20);
    char *tree = pair_tree(p, role, bucket), *rest = tree, *line;
    while ((line = strsep(&rest, "\n")) != NULL) {
        const char *key;
        if (line[0] && own_line(line, folder, &key))
            assert_int_equal(buf_printf(&out, NULL, "%s\n", line), 0);
    }
    assert_int_equal(buf_append_byte(&out, '\0', NULL), 0);
    free(tree);
    return (char *)out.data;
}

char *pair_find(struct pair *p, int role, const char *bucket, const char *pattern)
{
    char *found = NULL;
    char *keys = keys_below(p, role, bucket, ""), *rest = keys, *line;
    while (!found && (line = strsep(&rest, "\n")) != NULL)
        if (line[0] && fnmatch(pattern, line, 0) == 0)
            found = strdup(line);
    free(keys);
    return found;
}

char *pair_shorten(struct pair *p, int role, const char *bucket, const char *pattern, char **key)
{
    *key = pair_find(p, role, bucket, pattern);
    assert_non_null(*key);
    char *whole = pair_get(p, role, bucket, *key);
    char *less = strdup(whole);
    char *end = less + strlen(less) - 1;
    while (end > less && end[-1] != '\n')
        end--;
    *end = '\0';
    pair_put(p, role, bucket, *key, less);
    free(less);
    return whole;
}

static char *describe(struct pair *p, int role, const char *bucket, const char *folder, bool bytes)
{
    struct buf out = BUF_INIT(64 << 20);
    char *keys = keys_below(p, role, bucket, folder), *rest = keys, *line;
    while ((line = strsep(&rest, "\n")) != NULL) {
        struct stat st;
        if (!line[0])
            continue;
        assert_int_equal(stat(full_path(p, role, bucket, line), &st), 0);
        char *text = bytes ? pair_get(p, role, bucket, line) : NULL;
        assert_int_equal(bytes ? buf_printf(&out, NULL, "%s: ", line)
                               : buf_printf(&out, NULL, "%s: %ld.%09ld %lu %ld\n", line,
                                            (long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec,
                                            (unsigned long)st.st_ino, (long)st.st_size),
                         0);
        if (bytes)
            assert_int_equal(buf_append_str(&out, text, NULL), 0);
        free(text);
    }
    assert_int_equal(buf_append_byte(&out, '\0', NULL), 0);
    free(keys);
    return (char *)out.data;
}

char *pair_bytes(struct pair *p, int role, const char *bucket, const char *folder)
{
    return describe(p, role, bucket, folder, true);
}

char *pair_versions(struct pair *p, int role, const char *bucket, const char *folder)
{
    return describe(p, role, bucket, folder, false);
}

void pair_forget(struct pair *p)
{
    for (int role = 0; role < 2; role++)
        for (int i = 0; i < 2; i++) {
            const char *bucket = i == 0 ? "private" : "shared";
            char *keys = keys_below(p, role, bucket, ""), *rest = keys, *line;
            while ((line = strsep(&rest, "\n")) != NULL)
                if (line[0])
                    pair_remove(p, role, bucket, line);
            free(keys);
        }
}

void pair_note_change(void *arg, const char *change)
{
    FILE *f = fopen(arg, "a");
    if (!f || fprintf(f, "%s\n", change) < 0 || fclose(f) != 0)
        _exit(97);
}

void pair_encode(struct pair *p, const char *batch_id, size_t n_data, const uint8_t *bits,
                 char *text[2])
{
    struct prio_batch *batch;
    struct prio_client *client;
    struct prio_encoder *encoder;
    struct prio_shares shares;
    struct base64_ops base64;
    const struct prio_batch_options options = {
        .batch_id = batch_id, .batch_id_len = strlen(batch_id), .n_data = n_data, .prg = p->prg};
    base64_ops_init(&base64, 0);
    assert_int_equal(prio_batch_new(&batch, &options), PRIO_OK);
    assert_int_equal(prio_client_new(&client, batch, p->public_key[0], p->public_key[1]), PRIO_OK);
    assert_int_equal(prio_encoder_new(&encoder, client), PRIO_OK);
    assert_int_equal(prio_encode_bits(encoder, &shares, bits), PRIO_OK);
    for (int role = 0; role < 2; role++) {
        const size_t len = role == 0 ? shares.a_len : shares.b_len;
        text[role] = calloc(1, base64_encoded_len(len) + BASE64_SLACK + 1);
        assert_non_null(text[role]);
        text[role][base64.encode((uint8_t *)text[role], role == 0 ? shares.a : shares.b, len)] =
            '\0';
    }
    prio_encoder_free(encoder);
    prio_client_free(client);
    prio_batch_free(batch);
}

void pair_configure(struct pair *p, struct data_entry *entries, size_t n)
{
    p->config = (struct data_config){.entries = entries, .n = n};
}

void pair_mark(struct pair *p, int role)
{
    pair_put(p, role, "ingest", "raw/shares/_SUCCESS", "");
}
