/* SPDX-License-Identifier: MPL-2.0 */
#include "pair_test.h"

#include "base/log.h"
#include "codec/base64.h"
#include "pair_watch.h"
#include "processor/layout.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <jansson.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *const names[PAIR_BATCHES] = {"first-0", "second:1", "absent-2"};
static const size_t sizes[PAIR_BATCHES] = {5, PAIR_MAX_DATA, 3};

struct pair *pair_new(bool one_bucket)
{
    struct pair *p = calloc(1, sizeof *p);
    assert_non_null(p);
    log_init("test", LOG_FORMAT_TEXT, getenv("PAIR_LOG") ? LOG_LEVEL_INFO : LOG_LEVEL_ERROR);
    // Thousands of small files are flushed: memory is as good as a disk for that.
    const char *tmp = getenv("TMPDIR");
    if (!tmp)
        tmp = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    (void)snprintf(p->root, sizeof p->root, "%s/weir-pair.XXXXXX", tmp);
    assert_non_null(mkdtemp(p->root));
    p->one_bucket = one_bucket;
    p->date = "2026-08-20";
    for (int role = 0; role < 2; role++) {
        assert_int_equal(prio_keygen(p->private_key[role], p->public_key[role]), PRIO_OK);
        prio_key_to_hex(p->hex[role], p->public_key[role]);
    }
    assert_int_equal(prio_shared_secret(p->secret), PRIO_OK);
    for (size_t b = 0; b < PAIR_BATCHES; b++)
        p->entries[b] = (struct data_entry){.batch_id = (char *)names[b], .n_data = sizes[b]};
    p->config = (struct data_config){.entries = p->entries, .n = PAIR_BATCHES};
    return p;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st;
    (void)flag;
    (void)ftw;
    return remove(path);
}

void pair_free(struct pair *p)
{
    (void)nftw(p->root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(p);
}

static void bucket_path(const struct pair *p, int role, const char *bucket, char *out, size_t cap)
{
    if (p->one_bucket)
        (void)snprintf(out, cap, "%s/one", p->root);
    else
        (void)snprintf(out, cap, "%s/%c-%s", p->root, role == 0 ? 'a' : 'b', bucket);
}

void pair_path(struct pair *p, int role, const char *bucket, char *out, size_t cap)
{
    char base[512];
    bucket_path(p, role, bucket, base, sizeof base);
    (void)snprintf(out, cap, "%s/data/v1/%s/app/%s/", base, p->hex[1 - role], p->date);
}

static struct store *open_bucket(const struct pair *p, int role, const char *bucket)
{
    char url[512];
    struct store *store;
    bucket_path(p, role, bucket, url, sizeof url);
    const struct store_config config = {.url = url};
    assert_int_equal(store_open(&store, &config, NULL), 0);
    return store;
}

static uint8_t bit_of(const struct pair_data *data, size_t batch, size_t k, size_t i)
{
    return (uint8_t)((data->seed + batch + k * 7 + i * 3) % 5 < 2);
}

/* The lines of one batch for both servers. */
struct lines {
    struct buf part[2][8];
    size_t n_parts, next;
};

static void add_line(struct lines *l, size_t k, int role, const char *id, const uint8_t *share,
                     size_t len)
{
    struct base64_ops base64;
    struct buf *to = &l->part[role][k * l->n_parts / (l->next > k ? l->next : k + 1)];
    base64_ops_init(&base64, 0);
    assert_int_equal(buf_printf(to, NULL, "{\"id\":%s,\"payload\":\"", id), 0);
    assert_int_equal(buf_reserve(to, base64_encoded_len(len) + BASE64_SLACK, NULL), 0);
    to->len += base64.encode(to->data + to->len, share, len);
    assert_int_equal(buf_append_str(to, "\"}\n", NULL), 0);
}

static void encode_batch(struct pair *p, const struct pair_data *data, size_t b, struct lines *l)
{
    struct prio_batch *batch;
    struct prio_client *client;
    struct prio_encoder *encoder;
    uint8_t bits[PAIR_MAX_DATA], tampered[8192];
    const struct prio_batch_options options = {
        .batch_id = names[b], .batch_id_len = strlen(names[b]), .n_data = sizes[b], .prg = p->prg};
    assert_int_equal(prio_batch_new(&batch, &options), PRIO_OK);
    assert_int_equal(prio_client_new(&client, batch, p->public_key[0], p->public_key[1]), PRIO_OK);
    assert_int_equal(prio_encoder_new(&encoder, client), PRIO_OK);
    l->next = data->n + 5 * data->bad;
    for (size_t k = 0; k < l->next; k++) {
        struct prio_shares shares;
        char id[64];
        const size_t kind = k < data->n ? 0 : 1 + (k - data->n) % 5;
        for (size_t i = 0; i < sizes[b]; i++)
            bits[i] = bit_of(data, b, k, i);
        assert_int_equal(prio_encode_bits(encoder, &shares, bits), PRIO_OK);
        // Kind 1 repeats an id, 2 is garbage at A, 3 is missing at B, 4 has halves of two clients,
        // 5 is garbage at both.
        if (kind == 1)
            (void)snprintf(id, sizeof id, "%zu", 3 * (k % 2) + 1);
        else
            (void)snprintf(id, sizeof id, k % 3 == 0 ? "\"c-%zu\"" : "%zu", k);
        memcpy(tampered, shares.a, shares.a_len);
        tampered[shares.a_len - 1] ^= (kind == 2 || kind == 5);
        add_line(l, k, 0, id, tampered, shares.a_len);
        if (kind == 4)
            assert_int_equal(prio_encode_bits(encoder, &shares, bits), PRIO_OK);
        memcpy(tampered, shares.b, shares.b_len);
        tampered[shares.b_len - 1] ^= kind == 5;
        if (kind != 3)
            add_line(l, k, 1, id, tampered, shares.b_len);
    }
    prio_encoder_free(encoder);
    prio_client_free(client);
    prio_batch_free(batch);
}

static void put_text(struct store *store, const char *key, struct span text)
{
    struct err err = {0};
    if (store_put(store, key, text, NULL, NULL, &err) != 0)
        fail_msg("%s", err.text);
}

static void stage_batch(struct pair *p, const struct pair_data *data, size_t b,
                        struct store *const ingest[2])
{
    struct lines l = {.n_parts = data->n_parts > 0 ? data->n_parts : 2};
    for (int role = 0; role < 2; role++)
        for (size_t i = 0; i < 8; i++)
            l.part[role][i] = BUF_INIT(64 << 20);
    encode_batch(p, data, b, &l);
    struct buf dir = BUF_INIT(1024);
    assert_int_equal(layout_append_partition(&dir, "batch_id", names[b], NULL), 0);
    for (int role = 0; role < 2; role++)
        for (size_t i = 0; i < 8; i++) {
            char key[1024];
            (void)snprintf(key, sizeof key,
                           "data/v1/%s/app/%s/raw/shares/%.*s/part-%05zu-x.c000.json",
                           p->hex[1 - role], p->date, (int)dir.len, (const char *)dir.data, i);
            if (i < l.n_parts)
                put_text(ingest[role], key, buf_span(&l.part[role][i]));
            else
                assert_int_equal(store_delete_one(ingest[role], key, NULL), 0);
            buf_deinit(&l.part[role][i]);
        }
    buf_deinit(&dir);
}

static void marker_key(const struct pair *p, int role, char *key, size_t cap)
{
    (void)snprintf(key, cap, "data/v1/%s/app/%s/raw/shares/_SUCCESS", p->hex[1 - role], p->date);
}

void pair_unmark(struct pair *p, int role)
{
    char key[512];
    struct store *store = open_bucket(p, role, "ingest");
    marker_key(p, role, key, sizeof key);
    assert_int_equal(store_delete_one(store, key, NULL), 0);
    store_close(store);
}

void pair_stage(struct pair *p, const struct pair_data *data)
{
    struct store *const ingest[2] = {open_bucket(p, 0, "ingest"), open_bucket(p, 1, "ingest")};
    for (int role = 0; role < 2; role++)
        pair_unmark(p, role);
    for (size_t b = 0; b + 1 < PAIR_BATCHES; b++)
        stage_batch(p, data, b, ingest);
    for (int role = 0; role < 2; role++) {
        char key[512];
        (void)snprintf(key, sizeof key,
                       "data/v1/%s/app/%s/raw/shares/batch_id=bad-id/part-00000-x.c000.json",
                       p->hex[1 - role], p->date);
        put_text(ingest[role], key, span_str("{\"id\":1,\"payload\":\"AAAA\"}\n"));
        marker_key(p, role, key, sizeof key);
        put_text(ingest[role], key, (struct span){0});
        store_close(ingest[role]);
    }
}

static void keep_line(void *arg, const char *line)
{
    char *said = arg;
    const size_t len = strlen(said);
    (void)snprintf(said + len, PAIR_SAID_BYTES - len, "%s\n", line);
}

void pair_options(struct pair *p, int role, struct process_options *o)
{
    *o = (struct process_options){
        .config = &p->config,
        .app_name = "app",
        .date = p->date,
        .date_given = true,
        .bucket_prefix = "data/v1",
        .role = (enum prio_role)role,
        .prg = p->prg,
        .key_internal = p->hex[role],
        .key_external = p->hex[1 - role],
        .n_workers = 1,
        .retry_delay_s = 0.005,
        .retry_limit = 2000,
        .retry_multiplier = 1,
        .say = keep_line,
        .say_arg = p->said[role],
    };
    memcpy(o->private_key, p->private_key[role], sizeof o->private_key);
    memcpy(o->shared_secret, p->secret, sizeof o->shared_secret);
    o->ingest = open_bucket(p, role, "ingest");
    o->private = open_bucket(p, role, "private");
    o->shared = open_bucket(p, role, "shared");
    o->external_shared = open_bucket(p, 1 - role, "shared");
}

void pair_close(struct process_options *o)
{
    store_close(o->ingest);
    store_close(o->private);
    store_close(o->shared);
    store_close(o->external_shared);
}

int pair_run(struct pair *p, int role, const struct pair_how *how, char *text)
{
    struct process_options o;
    struct err err = {0};
    p->said[role][0] = '\0';
    pair_options(p, role, &o);
    o.keep_state = how->keep_state;
    o.again = how->again;
    o.points = how->sequential ? PRIO_POINTS_SEQUENTIAL : PRIO_POINTS_FIRST;
    o.n_workers = how->n_workers > 0 ? how->n_workers : 1;
    o.min_batch = how->min_batch;
    o.retry_limit = how->retry_limit > 0 ? how->retry_limit : 2000;
    o.sign_key = how->sign_key;
    o.verify_key = how->verify_key;
    o.report_file = how->report_file;
    if (how->tweak)
        how->tweak(&o, how->tweak_arg);
    const int r = process_run(&o, &err);
    if (text)
        (void)snprintf(text, ERR_TEXT_BYTES, "%s", err.text);
    if (r < 0 && getenv("PAIR_LOG"))
        (void)fprintf(stderr, "server %c: %s\n", role == 0 ? 'A' : 'B', err.text);
    pair_close(&o);
    return r;
}

static void write_text(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    if (!f || fputs(text, f) < 0 || fclose(f) != 0)
        _exit(98);
}

/* What the parent had is not the child's. */
static void forget_peak(void)
{
    const int fd = open("/proc/self/clear_refs", O_WRONLY);
    if (fd < 0 || write(fd, "5", 1) != 1)
        _exit(97);
    (void)close(fd);
}

static void write_peak(const char *path)
{
    char line[256] = "";
    FILE *f = fopen("/proc/self/status", "r");
    while (f && fgets(line, sizeof line, f) && strncmp(line, "VmHWM:", 6) != 0)
        ;
    if (f)
        (void)fclose(f);
    write_text(path, line + strlen("VmHWM:"));
}

/* What a child logs, and its error, go to a file where one is named. */
static void log_to(const char *path)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (fd < 0 || dup2(fd, STDERR_FILENO) < 0)
        _exit(99);
    log_init("test", LOG_FORMAT_TEXT, LOG_LEVEL_INFO);
}

int pair_spawn(struct pair *p, int role, const struct pair_how *how, unsigned kill_at)
{
    struct pair_fate fate = how->fate;
    fate.kill_before = kill_at;
    const int pid = fork();
    assert_true(pid >= 0);
    if (pid > 0)
        return pid;
    pair_set_fate(&fate);
    if (how->log_file)
        log_to(how->log_file);
    char text[ERR_TEXT_BYTES];
    if (how->peak_file)
        forget_peak();
    const int r = pair_run(p, role, how, text);
    if (how->peak_file)
        write_peak(how->peak_file);
    if (how->said_file)
        write_text(how->said_file, p->said[role]);
    if (r < 0 && !how->quiet)
        (void)fprintf(stderr, "# server %c: %s\n", role == 0 ? 'A' : 'B', text);
    _exit(r == 0 ? 0 : 1);
}

int pair_wait(int pid)
{
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

bool pair_run_both(struct pair *p, const struct pair_how *how)
{
    const int a = pair_spawn(p, 0, how, 0), b = pair_spawn(p, 1, how, 0);
    const int status_a = pair_wait(a), status_b = pair_wait(b);
    return status_a == 0 && status_b == 0;
}

char *pair_published_text(struct pair *p, int role, size_t batch)
{
    char key[1024];
    struct store *store = open_bucket(p, role, "private");
    struct store_listing listing = {0};
    struct buf dir = BUF_INIT(1024), text = BUF_INIT(1 << 20);
    assert_int_equal(layout_append_partition(&dir, "batch_id", names[batch], NULL), 0);
    (void)snprintf(key, sizeof key, "data/v1/%s/app/%s/processed/publish/%.*s/part-",
                   p->hex[1 - role], p->date, (int)dir.len, (const char *)dir.data);
    assert_int_equal(store_list(store, key, &listing, NULL), 0);
    char *out = NULL;
    assert_true(listing.n <= 1);
    if (listing.n == 1) {
        assert_int_equal(store_get_all(store, listing.objects[0].key, &text, NULL, NULL), 0);
        out = span_to_text(buf_span(&text));
    }
    store_listing_deinit(&listing);
    store_close(store);
    buf_deinit(&dir);
    buf_deinit(&text);
    return out;
}

void pair_assert_published(struct pair *p, const struct pair_data *data)
{
    for (int role = 0; role < 2; role++)
        for (size_t b = 0; b < PAIR_BATCHES; b++) {
            char *text = pair_published_text(p, role, b);
            if (b + 1 == PAIR_BATCHES) {
                assert_null(text);
                continue;
            }
            if (!text)
                fail_msg("server %c has not published %s", role == 0 ? 'A' : 'B', names[b]);
            json_t *root = json_loads(text, 0, NULL);
            const json_t *payload = json_object_get(root, "payload");
            assert_int_equal(json_array_size(payload), sizes[b]);
            for (size_t i = 0; i < sizes[b]; i++) {
                json_int_t want = 0;
                for (size_t k = 0; k < data->n; k++)
                    want += bit_of(data, b, k, i);
                assert_int_equal(json_integer_value(json_array_get(payload, i)), want);
            }
            assert_int_equal(json_integer_value(json_object_get(root, "total")),
                             data->n + data->bad);
            assert_int_equal(json_integer_value(json_object_get(root, "error")), data->bad);
            json_decref(root);
            free(text);
        }
}

static void add_tree(const char *dir, const char *shown, struct buf *out)
{
    struct dirent **entries;
    const int n = scandir(dir, &entries, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        char path[2048], name[2048];
        struct stat st;
        const char *entry = entries[i]->d_name;
        if (strcmp(entry, ".") != 0 && strcmp(entry, "..") != 0) {
            (void)snprintf(path, sizeof path, "%s/%s", dir, entry);
            (void)snprintf(name, sizeof name, "%s%s%s", shown, shown[0] ? "/" : "", entry);
            if (lstat(path, &st) == 0 && S_ISDIR(st.st_mode))
                add_tree(path, name, out);
            else
                assert_int_equal(buf_printf(out, NULL, "%s\n", name), 0);
        }
        free(entries[i]);
    }
    if (n >= 0)
        free(entries);
}

char *pair_tree(struct pair *p, int role, const char *bucket)
{
    char path[1024];
    struct buf out = BUF_INIT(1 << 20);
    pair_path(p, role, bucket, path, sizeof path);
    add_tree(path, "", &out);
    assert_int_equal(buf_append_byte(&out, '\0', NULL), 0);
    return (char *)out.data;
}

void pair_assert_clean(struct pair *p)
{
    static const char *const buckets[] = {"ingest", "private", "shared"};
    for (int role = 0; role < 2; role++)
        for (size_t i = 0; i < 3; i++) {
            char *tree = pair_tree(p, role, buckets[i]);
            char *rest = tree, *line;
            while ((line = strsep(&rest, "\n")) != NULL)
                if (line[0] && strncmp(line, "processed/publish/", 18) != 0 &&
                    strcmp(line, "state/run.json") != 0 && strcmp(line, "state/lock") != 0)
                    fail_msg("server %c, %s: %s is left over", role == 0 ? 'A' : 'B', buckets[i],
                             line);
            free(tree);
        }
}
