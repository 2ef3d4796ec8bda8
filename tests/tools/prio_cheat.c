/* SPDX-License-Identifier: MPL-2.0 */
/*
 * prio-cheat - a batch of clients, some of whom cheat, and the truth about them.
 *
 *     prio-cheat shares  share files for A and B with cheaters between the honest records, and what
 *                        the servers must find
 *     prio-cheat kinds   the kinds of cheats
 *
 * Who cheats, where and how is decided by the seed alone; keys, seeds and masks of the encoding are
 * fresh each time. It is test code: it sees internals and is not installed.
 */
#include "base/opts.h"
#include "base/outfile.h"
#include "codec/ndjson.h"
#include "codec/record.h"
#include "forge.h"
#include "truth.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct args {
    const char *batch_id, *key_a, *key_b, *cheats;
    const char *shares[N_SERVERS], *output[N_SERVERS], *truth, *name;
    uint64_t n_data, n_clients, seed;
    int prg;
};

static const struct args DEFAULTS = {
    .n_clients = 1000, .seed = 1, .cheats = "", .name = "data.ndjson"};
static const char *const PRGS[] = {"hashed", "legacy", NULL};

static const struct opt SHARES_OPTIONS[] = {
    OPT_UINT_REQUIRED("n-data", struct args, n_data, "N_DATA", 1, PRIO_MAX_DATA,
                      "Bits of a submission."),
    OPT_UINT("clients", struct args, n_clients, NULL, 0, 100000000, "Honest clients."),
    OPT_UINT("seed", struct args, seed, NULL, 0, UINT64_MAX, "Decides bits, cheaters and order."),
    OPT_STRING("name", struct args, name, NULL, "FILE", "Name of the files that are written."),
    OPT_STRING_REQUIRED("batch-id", struct args, batch_id, "BATCH_ID", "TEXT", "The batch."),
    OPT_STRING_REQUIRED("public-key-hex-internal", struct args, key_a, "PUBLIC_KEY_HEX_INTERNAL",
                        "HEX", "A's public key."),
    OPT_STRING_REQUIRED("public-key-hex-external", struct args, key_b, "PUBLIC_KEY_HEX_EXTERNAL",
                        "HEX", "B's public key."),
    OPT_CHOICE("prg", struct args, prg, "PRIO_PRG", PRGS, "Pseudo-random streams."),
    OPT_STRING(
        "shares-A", struct args, shares[0], NULL, "FILE",
        "The honest clients' records for A, as many as --clients, and then the sums in the truth "
        "are not theirs; otherwise they are made here."),
    OPT_STRING("shares-B", struct args, shares[1], NULL, "FILE", "The same for B."),
    OPT_STRING("cheats", struct args, cheats, NULL, "KIND=N,..",
               "How many of each kind: a count, or a part of the honest clients if it has a point. "
               "\"all\" stands for every kind."),
    OPT_STRING_REQUIRED("output-A", struct args, output[0], NULL, "DIR", "A's share file."),
    OPT_STRING_REQUIRED("output-B", struct args, output[1], NULL, "DIR", "B's share file."),
    OPT_STRING("truth", struct args, truth, NULL, "FILE", "What the servers must find."),
    OPT_END,
};

static int open_output(struct outfile *out, const char *dir, const char *name, struct err *err)
{
    const int r = strcmp(dir, "-") == 0 ? 0 : make_directories(dir, err);
    return r < 0 ? r : outfile_open(out, dir, name, err);
}

/* An honest record that a replay or a duplicate id will need. */
struct kept {
    bool wanted;
    char id[64]; // JSON text: a number stays one
    struct buf payloads[N_SERVERS];
};

/* The batch in the making. */
struct batch {
    const struct args *args;
    uint64_t counts[CHEAT_KINDS];
    struct plan plan;
    struct crowd crowd;
    struct forge forge;
    struct kept *kept; // [n_clients]
    uint64_t *totals;  // [n_data]
    uint8_t *bits;     // [n_data]
    FILE *shares[N_SERVERS];
    struct outfile out[N_SERVERS];
    struct record_ops record_ops;
    struct buf padded, scratch;
};

static void batch_deinit(struct batch *b)
{
    for (size_t i = 0; b->kept && i < b->args->n_clients; i++)
        for (size_t s = 0; s < N_SERVERS; s++)
            buf_deinit(&b->kept[i].payloads[s]);
    for (size_t s = 0; s < N_SERVERS; s++) {
        if (b->shares[s])
            fclose(b->shares[s]);
        outfile_abandon(&b->out[s]);
    }
    plan_deinit(&b->plan);
    forge_deinit(&b->forge);
    free(b->kept);
    free(b->totals);
    free(b->bits);
    buf_deinit(&b->padded);
    buf_deinit(&b->scratch);
}

static int open_shares(struct batch *b, struct err *err)
{
    const char *const *paths = b->args->shares;
    if (!paths[0] != !paths[1])
        return err_set(err, E_ARG, 0, "--shares-A and --shares-B belong together");
    for (size_t s = 0; s < N_SERVERS && paths[s]; s++) {
        b->shares[s] = fopen(paths[s], "r");
        if (!b->shares[s])
            return err_set(err, E_IO, errno, "%s", paths[s]);
    }
    return 0;
}

static int forge_start(struct batch *b, struct err *err)
{
    const struct args *a = b->args;
    struct forge_options options = {.batch_id = a->batch_id,
                                    .n_data = a->n_data,
                                    .prg = (enum prio_prg)a->prg,
                                    .seed = a->seed + 1};
    if (prio_key_from_hex(options.key_a, a->key_a, strlen(a->key_a)) != PRIO_OK ||
        prio_key_from_hex(options.key_b, a->key_b, strlen(a->key_b)) != PRIO_OK)
        return err_set(err, E_ARG, 0, "a public key is not 64 hex digits");
    return forge_init(&b->forge, &options, err);
}

static int batch_init(struct batch *b, const struct args *a, struct err *err)
{
    *b = (struct batch){.args = a,
                        .crowd = {.n = a->n_data, .seed = a->seed},
                        .out = {OUTFILE_INIT, OUTFILE_INIT},
                        .padded = BUF_INIT(SIZE_MAX / 2),
                        .scratch = BUF_INIT(SIZE_MAX / 2)};
    record_ops_init(&b->record_ops, 0);
    b->kept = calloc(a->n_clients + 1, sizeof *b->kept);
    b->totals = calloc(a->n_data, sizeof *b->totals);
    b->bits = calloc(a->n_data, 1);
    if (!b->kept || !b->totals || !b->bits)
        return err_set(err, E_NOMEM, 0, "no memory for %" PRIu64 " clients", a->n_clients);
    int r = cheats_parse(b->counts, a->cheats, a->n_clients, err);
    if (r == 0)
        r = plan_make(&b->plan, a->n_clients, b->counts, a->seed, err);
    if (r == 0)
        r = forge_start(b, err);
    if (r == 0)
        r = open_shares(b, err);
    for (size_t s = 0; r == 0 && s < N_SERVERS; s++)
        r = open_output(&b->out[s], a->output[s], a->name, err);
    for (size_t i = 0; r == 0 && i < b->plan.n_slots; i++)
        if (b->plan.slots[i].kind == CHEAT_REPLAY || b->plan.slots[i].kind == CHEAT_DUPLICATE_ID)
            b->kept[b->plan.slots[i].victim].wanted = true;
    return r;
}

static int read_lines(struct batch *b, struct err *err)
{
    for (size_t s = 0; s < N_SERVERS; s++) {
        struct buf *line = &b->forge.lines[s];
        char *text = NULL;
        size_t room = 0;
        const ssize_t len = getline(&text, &room, b->shares[s]);
        buf_clear(line);
        const int r = len > 0 ? buf_append(line, text, (size_t)len, err)
                              : err_set(err, E_FORMAT, 0, "%s: fewer lines than --clients",
                                        b->args->shares[s]);
        free(text);
        if (r < 0)
            return r;
    }
    return 0;
}

static int keep(struct batch *b, struct kept *kept, struct err *err)
{
    for (size_t s = 0; s < N_SERVERS; s++) {
        const struct buf *line = &b->forge.lines[s];
        struct record record = {0};
        buf_clear(&b->padded);
        int r = buf_append(&b->padded, line->data, line->len - 1, err);
        if (r == 0)
            r = buf_reserve(&b->padded, NDJSON_SLACK, err);
        if (r == 0)
            r = record_parse(&record, &b->record_ops, buf_span(&b->padded), &b->scratch, err);
        if (r < 0)
            return r;
        if (r == 0 || !record.has_payload || record.id_raw.len >= sizeof kept->id)
            return err_set(err, E_FORMAT, 0, "a line of encode-shares is no share record");
        memcpy(kept->id, record.id_raw.ptr, record.id_raw.len);
        kept->id[record.id_raw.len] = '\0';
        kept->payloads[s] = BUF_INIT(record.payload.len);
        r = buf_append(&kept->payloads[s], record.payload.ptr, record.payload.len, err);
        if (r < 0)
            return r;
    }
    return 0;
}

static int make_honest(struct batch *b, uint64_t client, struct err *err)
{
    for (size_t i = 0; i < b->args->n_data; i++)
        b->totals[i] += b->bits[i];
    int r =
        b->shares[0] ? read_lines(b, err) : forge_record(&b->forge, CHEAT_NONE, b->bits, NULL, err);
    if (r == 0 && b->kept[client].wanted)
        r = keep(b, &b->kept[client], err);
    return r;
}

static int make_cheat(struct batch *b, const struct slot *slot, struct err *err)
{
    const struct kept *victim = &b->kept[slot->victim];
    if (slot->kind == CHEAT_REPLAY)
        return forge_copy(&b->forge, buf_span(&victim->payloads[0]), buf_span(&victim->payloads[1]),
                          err);
    return forge_record(&b->forge, slot->kind, b->bits,
                        slot->kind == CHEAT_DUPLICATE_ID ? victim->id : NULL, err);
}

static int make_slots(struct batch *b, struct err *err)
{
    uint64_t n_honest = 0, n_cheaters = 0;
    int r = 0;
    for (size_t i = 0; r == 0 && i < b->plan.n_slots; i++) {
        const struct slot *slot = &b->plan.slots[i];
        const bool honest = slot->kind == CHEAT_NONE;
        crowd_bits(&b->crowd, honest ? n_honest : b->args->n_clients + n_cheaters, b->bits);
        r = honest ? make_honest(b, n_honest, err) : make_cheat(b, slot, err);
        n_honest += honest;
        n_cheaters += !honest;
        for (size_t s = 0; r == 0 && s < N_SERVERS; s++)
            r = outfile_write(&b->out[s], b->forge.lines[s].data, b->forge.lines[s].len, err);
    }
    return r;
}

static int write_truth(const struct batch *b, struct err *err)
{
    CLEANUP(buf_deinit) struct buf text = BUF_INIT(SIZE_MAX / 2);
    CLEANUP(outfile_abandon) struct outfile out = OUTFILE_INIT;
    const struct truth truth = {.n_honest = b->args->n_clients,
                                .cheats = b->counts,
                                .totals = b->totals,
                                .n_data = b->args->n_data};
    char dir[PATH_MAX];
    const char *slash = strrchr(b->args->truth, '/');
    snprintf(dir, sizeof dir, "%.*s", slash ? (int)(slash - b->args->truth) + 1 : 1,
             slash ? b->args->truth : ".");
    int r = truth_write(&text, &truth, err);
    if (r == 0)
        r = open_output(&out, dir, slash ? slash + 1 : b->args->truth, err);
    if (r == 0)
        r = outfile_write(&out, text.data, text.len, err);
    return r < 0 ? r : outfile_commit(&out, err);
}

static int run_shares(void *arguments, struct err *err)
{
    const struct args *a = arguments;
    CLEANUP(batch_deinit) struct batch b;
    int r = batch_init(&b, a, err);
    if (r == 0)
        r = make_slots(&b, err);
    for (size_t s = 0; r == 0 && s < N_SERVERS; s++)
        r = outfile_commit(&b.out[s], err);
    if (r == 0 && a->truth)
        r = write_truth(&b, err);
    return r < 0 ? EXIT_FAILED : EXIT_DONE;
}

static int run_kinds(void *arguments, struct err *err)
{
    (void)arguments, (void)err;
    for (size_t k = 0; k < CHEAT_KINDS; k++)
        printf("%-14s%s\n", CHEATS[k].name, CHEATS[k].help);
    return EXIT_DONE;
}

static const struct opt *const SHARES_GROUPS[] = {SHARES_OPTIONS, NULL};
static const struct opt *const NO_GROUPS[] = {NULL};

static const struct opt_command COMMANDS[] = {
    {.name = "shares",
     .summary = "Write share files with cheaters in them.",
     .groups = SHARES_GROUPS,
     .defaults = &DEFAULTS,
     .args_size = sizeof(struct args),
     .run = run_shares},
    {.name = "kinds",
     .summary = "List the kinds of cheats.",
     .groups = NO_GROUPS,
     .defaults = &DEFAULTS,
     .args_size = sizeof(struct args),
     .run = run_kinds},
    {.name = NULL},
};

static const struct opt_program PROGRAM = {
    .name = "prio-cheat",
    .summary = "Make batches with cheaters in them, for tests and for the demo.",
    .version = "0.1.0",
    .commands = COMMANDS,
};

int main(int argc, char **argv)
{
    return opts_main(&PROGRAM, argc, argv);
}
