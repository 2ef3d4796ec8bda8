/* SPDX-License-Identifier: MPL-2.0 */
#include "stage/stage.h"
#include "stage_test.h"

static int make_world(void **state)
{
    *state = world_new();
    return 0;
}

static int free_world(void **state)
{
    world_free(*state);
    return 0;
}

/* Clients [0, n) in order under the ids "c0", "c1", ... for both servers. */
static void add_clients(const struct world *w, struct buf *a, struct buf *b, size_t n)
{
    for (size_t k = 0; k < n; k++) {
        char id[32];
        (void)snprintf(id, sizeof id, "\"c%zu\"", k);
        add_record(a, id, w->share[0][k]);
        add_record(b, id, w->share[1][k]);
    }
}

static uint64_t true_sum(size_t n, size_t i)
{
    uint64_t sum = 0;
    for (size_t k = 0; k < n; k++)
        sum += client_bit(k, i);
    return sum;
}

static const struct how ways[] = {
    {.n_workers = 1},
    {.n_workers = 5, .step = 100},
    {.n_workers = 1, .points = PRIO_POINTS_SEQUENTIAL},
    {.n_workers = 4, .points = PRIO_POINTS_SEQUENTIAL, .step = 777},
};

static void both_servers_find_the_true_sums(void **state)
{
    const struct world *w = *state;
    TEXT(a);
    TEXT(b);
    add_clients(w, &a, &b, N_CLIENTS);
    for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
        const struct totals t = run_all(w, &a, &b, ways[i]);
        for (size_t k = 0; k < N_DATA; k++)
            assert_int_equal(t.sums[k], true_sum(N_CLIENTS, k));
        for (int s = 0; s < 2; s++)
            assert_counts(&t.aggregate[s], N_CLIENTS, 0);
    }
}

/* A batch with everything in it that one worker could see differently from four. */
static void add_trouble(const struct world *w, struct buf *a, struct buf *b)
{
    for (size_t k = 0; k < 600; k++) {
        char id[32];
        (void)snprintf(id, sizeof id, "%zu", k % 290);
        for (int s = 0; s < 2; s++) {
            struct buf *text = s == 0 ? a : b;
            const char *share = w->share[s][k % N_CLIENTS];
            if (k % 7 == 3)
                add(text, "not json\n\n");
            else if (k % 11 == 5)
                add_record(text, id, w->cheat[s]);
            else if (k % 13 == 1)
                add_record(text, id, "AAAA");
            else
                add_record(text, id, share);
        }
    }
}

static void results_do_not_depend_on_workers(void **state)
{
    const struct world *w = *state;
    TEXT(a);
    TEXT(b);
    add_trouble(w, &a, &b);
    for (int points = 0; points < 2; points++) {
        const struct how one = {.n_workers = 1, .points = (enum prio_points)points};
        RESULT v1a = run_verify1(w, PRIO_SERVER_A, &a, one);
        RESULT v1b = run_verify1(w, PRIO_SERVER_B, &b, one);
        RESULT v2a = run_verify2(w, PRIO_SERVER_A, &a, &v1a.out, &v1b.out, one);
        RESULT v2b = run_verify2(w, PRIO_SERVER_B, &b, &v1b.out, &v1a.out, one);
        RESULT sum = run_aggregate(w, PRIO_SERVER_A, &a, &v2a.out, &v2b.out, one);
        assert_true(v1a.counts.by_reason[REASON_DUPLICATE_ID] > 100);
        assert_true(v1a.counts.by_reason[REASON_REPLAY] > 100);
        for (unsigned n = 2; n <= 8; n += 3) {
            struct how more = one;
            more.n_workers = n;
            more.step = 1000 / n;
            RESULT p1 = run_verify1(w, PRIO_SERVER_A, &a, more);
            RESULT p2 = run_verify2(w, PRIO_SERVER_A, &a, &v1a.out, &v1b.out, more);
            RESULT ps = run_aggregate(w, PRIO_SERVER_A, &a, &v2a.out, &v2b.out, more);
            assert_buf_equal(&p1.out, &v1a.out);
            assert_buf_equal(&p1.rejects, &v1a.rejects);
            assert_buf_equal(&p2.out, &v2a.out);
            assert_buf_equal(&p2.rejects, &v2a.rejects);
            assert_buf_equal(&ps.rejects, &sum.rejects);
            assert_buf_equal(&ps.total_share, &sum.total_share);
            assert_memory_equal(&p1.counts, &v1a.counts, sizeof p1.counts);
            assert_memory_equal(&ps.counts, &sum.counts, sizeof ps.counts);
        }
    }
}

static void the_first_record_of_an_id_wins(void **state)
{
    const struct world *w = *state;
    for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
        TEXT(a);
        TEXT(b);
        add_clients(w, &a, &b, 3);
        add_record(&a, "\"c1\"", w->share[0][5]);
        add_record(&b, "\"c1\"", w->share[1][5]);
        const struct totals t = run_all(w, &a, &b, ways[i]);
        for (size_t k = 0; k < N_DATA; k++)
            assert_int_equal(t.sums[k], true_sum(3, k));
        assert_counts(&t.verify1[0], 4, 1);
        assert_counts(&t.aggregate[1], 4, 1);
        assert_int_equal(t.verify1[0].by_reason[REASON_DUPLICATE_ID], 1);
        assert_int_equal(t.verify2[1].by_reason[REASON_DUPLICATE_ID], 1);
        assert_int_equal(t.aggregate[1].by_reason[REASON_DUPLICATE_ID], 1);
    }
}

static void an_id_is_taken_by_a_record_that_does_not_open(void **state)
{
    const struct world *w = *state;
    TEXT(a);
    add_record(&a, "\"x\"", "!!!!");
    add_record(&a, "\"x\"", w->share[0][0]);
    add(&a, "{\"id\": \"y\"}\n");
    add_record(&a, "\"y\"", w->share[0][1]);
    RESULT r = run_verify1(w, PRIO_SERVER_A, &a, ways[0]);
    assert_counts(&r.counts, 4, 4);
    assert_int_equal(r.counts.by_reason[REASON_BAD_BASE64], 2);
    assert_int_equal(r.counts.by_reason[REASON_DUPLICATE_ID], 2);
}

static void numbers_and_strings_are_different_ids(void **state)
{
    const struct world *w = *state;
    TEXT(a);
    add_record(&a, "1", w->share[0][0]);
    add_record(&a, "\"1\"", w->share[0][1]);
    add_record(&a, "1.0", w->share[0][2]);
    add_record(&a, "01", w->share[0][3]);          // not JSON
    add_record(&a, "\"\\u0031\"", w->share[0][4]); // "1" once more
    RESULT r = run_verify1(w, PRIO_SERVER_A, &a, ways[0]);
    assert_counts(&r.counts, 5, 2);
    assert_int_equal(r.counts.by_reason[REASON_BAD_JSON], 1);
    assert_int_equal(r.counts.by_reason[REASON_DUPLICATE_ID], 1);
}

static void a_resent_ciphertext_counts_once(void **state)
{
    const struct world *w = *state;
    for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
        TEXT(a);
        TEXT(b);
        add_clients(w, &a, &b, 4);
        for (int s = 0; s < 2; s++)
            add_record(s == 0 ? &a : &b, "\"again\"", w->share[s][2]);
        const struct totals t = run_all(w, &a, &b, ways[i]);
        for (size_t k = 0; k < N_DATA; k++)
            assert_int_equal(t.sums[k], true_sum(4, k));
        assert_int_equal(t.verify1[0].by_reason[REASON_REPLAY], 1);
        // Without a verify1 record the later passes do not come so far as to open it.
        assert_int_equal(t.verify2[0].by_reason[REASON_MISSING_INTERNAL], 1);
        assert_counts(&t.aggregate[0], 5, 1);
    }
}

static void every_pass_looks_for_resent_ciphertexts_itself(void **state)
{
    const struct world *w = *state;
    TEXT(once_a);
    TEXT(once_b);
    TEXT(a);
    TEXT(b);
    for (int s = 0; s < 2; s++) {
        add_record(s == 0 ? &once_a : &once_b, "\"x\"", w->share[s][0]);
        add_record(s == 0 ? &a : &b, "\"x\"", w->share[s][0]);
        add_record(s == 0 ? &a : &b, "\"y\"", w->share[s][0]);
    }
    RESULT v1a = run_verify1(w, PRIO_SERVER_A, &once_a, ways[0]);
    RESULT v1b = run_verify1(w, PRIO_SERVER_B, &once_b, ways[0]);
    // Somebody forged the packet files so that y has messages too.
    add(&v1a.out, "{\"id\": \"y\"%s", strstr((char *)v1a.out.data, ","));
    add(&v1b.out, "{\"id\": \"y\"%s", strstr((char *)v1b.out.data, ","));
    for (unsigned n = 1; n <= 3; n++) {
        const struct how how = {.n_workers = n};
        RESULT v2a = run_verify2(w, PRIO_SERVER_A, &a, &v1a.out, &v1b.out, how);
        RESULT v2b = run_verify2(w, PRIO_SERVER_B, &b, &v1b.out, &v1a.out, how);
        assert_int_equal(v2a.counts.by_reason[REASON_REPLAY], 1);
        add(&v2a.out, "{\"id\": \"y\"%s", strstr((char *)v2a.out.data, ","));
        add(&v2b.out, "{\"id\": \"y\"%s", strstr((char *)v2b.out.data, ","));
        RESULT sum = run_aggregate(w, PRIO_SERVER_A, &a, &v2a.out, &v2b.out, how);
        assert_counts(&sum.counts, 2, 1);
        assert_int_equal(sum.counts.by_reason[REASON_REPLAY], 1);
        assert_int_equal(sum.n_summed, 1);
        RESULT honest = run_aggregate(w, PRIO_SERVER_A, &once_a, &v2a.out, &v2b.out, how);
        assert_buf_equal(&sum.total_share, &honest.total_share);
    }
}

static void a_dropped_record_pushes_nobody_out(void **state)
{
    // A stranger resends client 1's ciphertext early, under an id that is taken already.
    const struct world *w = *state;
    for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
        TEXT(a);
        add_record(&a, "\"x\"", w->share[0][0]);
        add_record(&a, "\"x\"", w->share[0][1]);
        add_record(&a, "\"honest\"", w->share[0][1]);
        RESULT r = run_verify1(w, PRIO_SERVER_A, &a, ways[i]);
        assert_counts(&r.counts, 3, 1);
        assert_contains((char *)r.out.data, "\"honest\"");
    }
}

static void garbage_pushes_nobody_out(void **state)
{
    // The same ephemeral key, IV and tag around another body does not open, and is not noted.
    const struct world *w = *state;
    TEXT(a);
    char *garbled = strdup(w->share[0][0]);
    assert_non_null(garbled);
    garbled[100] = garbled[100] == 'A' ? 'B' : 'A';
    add_record(&a, "\"stranger\"", garbled);
    add_record(&a, "\"honest\"", w->share[0][0]);
    RESULT r = run_verify1(w, PRIO_SERVER_A, &a, ways[0]);
    assert_counts(&r.counts, 2, 1);
    assert_int_equal(r.counts.by_reason[REASON_DECRYPT], 1);
    free(garbled);
}

static void each_fault_has_its_reason(void **state)
{
    const struct world *w = *state;
    TEXT(a);
    add_record(&a, "\"good\"", w->share[0][0]);
    add(&a, "\n \t\r\n");                               // blank: no record at all
    add(&a, "{\"id\": \"1\", \"payload\": \n");         // 4
    add(&a, "[1, 2]\n");                                // 5
    add(&a, "{\"payload\": \"%s\"}\n", w->share[0][1]); // 6
    add(&a, "{\"id\": null, \"payload\": \"\"}\n");     // 7
    add(&a, "{\"id\": {}, \"payload\": \"\"}\n");       // 8
    add(&a, "{\"id\": \"2\", \"payload\": null}\n");    // 9
    add(&a, "{\"id\": \"3\", \"payload\": [1]}\n");     // 10
    add_record(&a, "\"4\"", "AAA");                     // 11
    add_record(&a, "\"5\"", "AA A");                    // 12
    add_record(&a, "\"6\"", "AAAA");                    // 13
    add_record(&a, "\"7\"", w->share[1][1]);            // 14: B's
    add_record(&a, "\"7\"", w->share[0][1]);            // 15
    add_record(&a, "\"8\"", w->share[0][0]);            // 16
    static const char want[] = "{\"line\": 4, \"reason\": \"bad-json\"}\n"
                               "{\"line\": 5, \"reason\": \"bad-json\"}\n"
                               "{\"line\": 6, \"reason\": \"no-id\"}\n"
                               "{\"line\": 7, \"reason\": \"no-id\"}\n"
                               "{\"line\": 8, \"reason\": \"no-id\"}\n"
                               "{\"line\": 9, \"id\": \"2\", \"reason\": \"bad-base64\"}\n"
                               "{\"line\": 10, \"id\": \"3\", \"reason\": \"bad-base64\"}\n"
                               "{\"line\": 11, \"id\": \"4\", \"reason\": \"bad-base64\"}\n"
                               "{\"line\": 12, \"id\": \"5\", \"reason\": \"bad-base64\"}\n"
                               "{\"line\": 13, \"id\": \"6\", \"reason\": \"decrypt\"}\n"
                               "{\"line\": 14, \"id\": \"7\", \"reason\": \"decrypt\"}\n"
                               "{\"line\": 15, \"id\": \"7\", \"reason\": \"duplicate-id\"}\n"
                               "{\"line\": 16, \"id\": \"8\", \"reason\": \"replay\"}\n";
    for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
        RESULT r = run_verify1(w, PRIO_SERVER_A, &a, ways[i]);
        assert_int_equal(r.status, 0);
        assert_counts(&r.counts, 14, 13);
        assert_string_equal((char *)r.rejects.data, want);
    }
}

static void rejected_ids_keep_their_type_and_are_escaped(void **state)
{
    const struct world *w = *state;
    TEXT(a);
    add_record(&a, "12345678901234567890", "AAAA");
    add_record(&a, "\"q\\\"\\u0001\xc3\xa9\"", "AAAA");
    RESULT r = run_verify1(w, PRIO_SERVER_A, &a, ways[0]);
    assert_string_equal(
        (char *)r.rejects.data,
        "{\"line\": 1, \"id\": 12345678901234567890, \"reason\": \"decrypt\"}\n"
        "{\"line\": 2, \"id\": \"q\\\"\\u0001\\u00e9\", \"reason\": \"decrypt\"}\n");
}

static void a_packet_of_another_batch_does_not_parse(void **state)
{
    const struct world *w = *state;
    const struct prio_batch_options other = {
        .batch_id = "other", .batch_id_len = 5, .n_data = N_DATA};
    struct world twin = *w;
    TEXT(a);
    add_record(&a, "\"x\"", w->share[0][0]);
    assert_int_equal(prio_batch_new(&twin.batch, &other), PRIO_OK);
    const struct prio_server_options server = {.role = PRIO_SERVER_A,
                                               .private_key = w->private_key[0],
                                               .peer_public_key = w->public_key[1],
                                               .shared_secret = w->secret};
    assert_int_equal(prio_server_new(&twin.server[0][0], twin.batch, &server), PRIO_OK);
    RESULT r = run_verify1(&twin, PRIO_SERVER_A, &a, ways[0]);
    assert_int_equal(r.counts.by_reason[REASON_PARSE], 1);
    prio_server_free(twin.server[0][0]);
    prio_batch_free(twin.batch);
}

static void a_line_beyond_the_limit_is_too_long(void **state)
{
    const struct world *w = *state;
    const size_t limit = stage_max_line(w->server[0][0]);
    assert_int_equal(limit, 1 << 20);
    TEXT(a);
    add_record(&a, "\"x\"", w->share[0][0]);
    add(&a, "{\"id\": \"long\", \"pad\": \"%0*d\"}\n", (int)limit, 0);
    add_record(&a, "\"y\"", w->share[0][1]);
    add(&a, "{\"id\": \"fits\", \"pad\": \"%0*d\"}\n", (int)limit - 50, 0);
    for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
        RESULT r = run_verify1(w, PRIO_SERVER_A, &a, ways[i]);
        assert_counts(&r.counts, 4, 2);
        assert_string_equal((char *)r.rejects.data,
                            "{\"line\": 2, \"reason\": \"too-long\"}\n"
                            "{\"line\": 4, \"id\": \"fits\", \"reason\": \"bad-base64\"}\n");
    }
}

static void strict_fails_at_the_first_broken_line(void **state)
{
    const struct world *w = *state;
    for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
        TEXT(a);
        struct how how = ways[i];
        how.strict = true;
        for (size_t k = 0; k < N_CLIENTS; k++) {
            char id[16];
            (void)snprintf(id, sizeof id, "%zu", k);
            add_record(&a, id, w->share[0][k]);
            if (k >= 20)
                add(&a, "{\"broken\": \n");
        }
        RESULT r = run_verify1(w, PRIO_SERVER_A, &a, how);
        assert_int_equal(r.status, E_FORMAT);
        assert_string_equal(r.err.text, "shares: line 22: not a JSON object");
    }
}

static void strict_bears_with_everything_else(void **state)
{
    const struct world *w = *state;
    TEXT(a);
    add_record(&a, "null", w->share[0][0]);
    add_record(&a, "\"x\"", "!");
    RESULT r = run_verify1(w, PRIO_SERVER_A, &a, (struct how){.strict = true});
    assert_int_equal(r.status, 0);
    assert_counts(&r.counts, 2, 2);
}

static void other_members_are_carried_through(void **state)
{
    const struct world *w = *state;
    TEXT(a);
    add(&a, "{\"v\":[1,{}],\"payload\":\"%s\",\"id\":7}\n", w->share[0][0]);
    RESULT r = run_verify1(w, PRIO_SERVER_A, &a, ways[0]);
    assert_int_equal(r.counts.error, 0);
    assert_int_equal(strncmp((char *)r.out.data, "{\"v\": [1, {}], \"payload\": \"", 27), 0);
    assert_contains((char *)r.out.data, "\", \"id\": 7}\n");
}

static void missing_messages_are_told_apart(void **state)
{
    const struct world *w = *state;
    TEXT(a);
    TEXT(b);
    TEXT(none);
    add_clients(w, &a, &b, 2);
    RESULT v1a = run_verify1(w, PRIO_SERVER_A, &a, ways[0]);
    RESULT v1b = run_verify1(w, PRIO_SERVER_B, &b, ways[0]);
    RESULT no_own = run_verify2(w, PRIO_SERVER_A, &a, &none, &v1b.out, ways[0]);
    RESULT no_peer = run_verify2(w, PRIO_SERVER_A, &a, &v1a.out, &none, ways[0]);
    RESULT neither = run_verify2(w, PRIO_SERVER_A, &a, &none, &none, ways[0]);
    assert_counts(&no_own.counts, 2, 2);
    assert_int_equal(no_own.counts.by_reason[REASON_MISSING_INTERNAL], 2);
    assert_int_equal(no_peer.counts.by_reason[REASON_MISSING_EXTERNAL], 2);
    assert_int_equal(neither.counts.by_reason[REASON_MISSING_INTERNAL], 2);
    assert_int_equal(no_own.out.len, 0);
}

static void unreadable_messages_are_bad_packets(void **state)
{
    static const char *const bad[] = {"",     "!",    "AAAA",
                                      "oQA=", "oQ==", "q4AAAAAAAAAACAABoQA="}; // d is p itself
    const struct world *w = *state;
    TEXT(a);
    TEXT(b);
    add_clients(w, &a, &b, 1);
    RESULT v1a = run_verify1(w, PRIO_SERVER_A, &a, ways[0]);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        TEXT(peer);
        add_record(&peer, "\"c0\"", bad[i]);
        RESULT r = run_verify2(w, PRIO_SERVER_A, &a, &v1a.out, &peer, ways[i % 4]);
        assert_counts(&r.counts, 1, 1);
        assert_int_equal(r.counts.by_reason[REASON_BAD_PACKET], 1);
    }
    TEXT(null);
    add(&null, "{\"id\": \"c0\", \"payload\": null}\n");
    RESULT r = run_verify2(w, PRIO_SERVER_A, &a, &null, &v1a.out, ways[0]);
    assert_int_equal(r.counts.by_reason[REASON_BAD_PACKET], 1);
}

static void a_false_proof_is_invalid_and_harms_nobody(void **state)
{
    const struct world *w = *state;
    for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
        TEXT(a);
        TEXT(b);
        add_record(&a, "\"cheat\"", w->cheat[0]);
        add_record(&b, "\"cheat\"", w->cheat[1]);
        add_clients(w, &a, &b, 5);
        const struct totals t = run_all(w, &a, &b, ways[i]);
        for (size_t k = 0; k < N_DATA; k++)
            assert_int_equal(t.sums[k], true_sum(5, k));
        assert_int_equal(t.aggregate[0].by_reason[REASON_INVALID], 1);
        assert_counts(&t.aggregate[0], 6, 1);
        assert_counts(&t.verify2[0], 6, 0);
    }
}

static void records_that_fail_on_both_sides_use_no_point(void **state)
{
    const struct world *w = *state;
    const struct how how = {.n_workers = 3, .points = PRIO_POINTS_SEQUENTIAL};
    TEXT(a);
    TEXT(b);
    for (int s = 0; s < 2; s++) {
        struct buf *text = s == 0 ? &a : &b;
        add_record(text, "\"x\"", "AAAA");
        add(text, "rubbish\n");
        add_record(text, "\"c0\"", w->share[s][0]);
        add_record(text, "\"c0\"", w->share[s][1]);    // duplicate-id
        add_record(text, "\"again\"", w->share[s][0]); // replay
        add_record(text, "\"c2\"", w->share[s][2]);
    }
    const struct totals t = run_all(w, &a, &b, how);
    assert_counts(&t.aggregate[0], 6, 4);
    for (size_t k = 0; k < N_DATA; k++)
        assert_int_equal(t.sums[k], client_bit(0, k) + client_bit(2, k));
}

static void a_record_that_opens_on_one_side_shifts_sequential_points(void **state)
{
    // Not a wish but the original's rule: both servers have to count the same records.
    const struct world *w = *state;
    TEXT(a);
    TEXT(b);
    add_record(&a, "\"x\"", w->share[0][3]);
    add_record(&b, "\"x\"", "AAAA");
    add_clients(w, &a, &b, 2);
    const struct totals shifted =
        run_all(w, &a, &b, (struct how){.points = PRIO_POINTS_SEQUENTIAL});
    assert_int_equal(shifted.aggregate[0].by_reason[REASON_INVALID], 2);
    const struct totals t = run_all(w, &a, &b, (struct how){.points = PRIO_POINTS_FIRST});
    assert_counts(&t.aggregate[0], 3, 1);
}

/* @return A's verify2 record of the last client, whose point depends on what came before it. */
static char *last_answer(const struct world *w, const struct buf *own, const struct buf *peer,
                         const struct buf *shares)
{
    const struct how how = {.n_workers = 2, .points = PRIO_POINTS_SEQUENTIAL};
    RESULT r = run_verify2(w, PRIO_SERVER_A, shares, own, peer, how);
    char *line = strstr((char *)r.out.data, "{\"id\": \"c1\"");
    assert_non_null(line);
    char *copy = strdup(line);
    assert_non_null(copy);
    return copy;
}

static void a_malformed_message_has_used_its_point_but_a_missing_one_has_not(void **state)
{
    const struct world *w = *state;
    const struct how how = {.points = PRIO_POINTS_SEQUENTIAL};
    TEXT(a);
    TEXT(b);
    add_clients(w, &a, &b, 2);
    RESULT v1a = run_verify1(w, PRIO_SERVER_A, &a, how);
    RESULT v1b = run_verify1(w, PRIO_SERVER_B, &b, how);
    TEXT(malformed);
    TEXT(missing);
    const char *second = strchr((char *)v1b.out.data, '\n') + 1;
    add(&malformed, "{\"id\": \"c0\", \"payload\": \"AAAA\"}\n%s", second);
    add(&missing, "%s", second);
    char *honest = last_answer(w, &v1a.out, &v1b.out, &a);
    char *after_malformed = last_answer(w, &v1a.out, &malformed, &a);
    char *after_missing = last_answer(w, &v1a.out, &missing, &a);
    assert_string_equal(after_malformed, honest);
    assert_string_not_equal(after_missing, honest);
    free(honest);
    free(after_malformed);
    free(after_missing);
}

static void nothing_in_nothing_out(void **state)
{
    const struct world *w = *state;
    TEXT(empty);
    for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
        const struct totals t = run_all(w, &empty, &empty, ways[i]);
        assert_counts(&t.aggregate[0], 0, 0);
        for (size_t k = 0; k < N_DATA; k++)
            assert_int_equal(t.sums[k], 0);
    }
}

static void many_short_lines_do_not_fill_memory(void **state)
{
    const struct world *w = *state;
    TEXT(a);
    for (int i = 0; i < 30000; i++)
        add(&a, "1\n");
    add_record(&a, "\"x\"", w->share[0][0]);
    for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
        RESULT r = run_verify1(w, PRIO_SERVER_A, &a, ways[i]);
        assert_counts(&r.counts, 30001, 30000);
        assert_contains((char *)r.out.data, "{\"id\": \"x\"");
    }
}

static void a_failing_sink_ends_every_run(void **state)
{
    const struct world *w = *state;
    TEXT(a);
    TEXT(b);
    add_clients(w, &a, &b, N_CLIENTS);
    for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
        struct how how = ways[i];
        how.fail_out_after = 500;
        RESULT r = run_verify1(w, PRIO_SERVER_A, &a, how);
        assert_int_equal(r.status, E_IO);
        assert_string_equal(r.err.text, "the sink is full");
    }
}

static void a_failing_source_ends_every_run(void **state)
{
    const struct world *w = *state;
    TEXT(a);
    TEXT(b);
    add_clients(w, &a, &b, N_CLIENTS);
    for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
        struct how how = ways[i];
        how.fail_in_after = a.len / 2;
        RESULT r = run_verify1(w, PRIO_SERVER_A, &a, how);
        assert_int_equal(r.status, E_IO);
        assert_contains(r.err.text, "the source broke");
    }
}

static void reasons_have_the_names_of_the_specification(void **state)
{
    static const char *const want[] = {
        "bad-json",     "no-id",  "bad-base64",       "too-long",         "decrypt",    "parse",
        "duplicate-id", "replay", "missing-internal", "missing-external", "bad-packet", "invalid"};
    (void)state;
    assert_int_equal(REASON_COUNT, ARRAY_LEN(want));
    for (int i = 0; i < REASON_COUNT; i++)
        assert_string_equal(stage_reason_name((enum stage_reason)i), want[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_servers_find_the_true_sums),
        cmocka_unit_test(results_do_not_depend_on_workers),
        cmocka_unit_test(the_first_record_of_an_id_wins),
        cmocka_unit_test(an_id_is_taken_by_a_record_that_does_not_open),
        cmocka_unit_test(numbers_and_strings_are_different_ids),
        cmocka_unit_test(a_resent_ciphertext_counts_once),
        cmocka_unit_test(every_pass_looks_for_resent_ciphertexts_itself),
        cmocka_unit_test(a_dropped_record_pushes_nobody_out),
        cmocka_unit_test(garbage_pushes_nobody_out),
        cmocka_unit_test(each_fault_has_its_reason),
        cmocka_unit_test(rejected_ids_keep_their_type_and_are_escaped),
        cmocka_unit_test(a_packet_of_another_batch_does_not_parse),
        cmocka_unit_test(a_line_beyond_the_limit_is_too_long),
        cmocka_unit_test(strict_fails_at_the_first_broken_line),
        cmocka_unit_test(strict_bears_with_everything_else),
        cmocka_unit_test(other_members_are_carried_through),
        cmocka_unit_test(missing_messages_are_told_apart),
        cmocka_unit_test(unreadable_messages_are_bad_packets),
        cmocka_unit_test(a_false_proof_is_invalid_and_harms_nobody),
        cmocka_unit_test(records_that_fail_on_both_sides_use_no_point),
        cmocka_unit_test(a_record_that_opens_on_one_side_shifts_sequential_points),
        cmocka_unit_test(a_malformed_message_has_used_its_point_but_a_missing_one_has_not),
        cmocka_unit_test(nothing_in_nothing_out),
        cmocka_unit_test(many_short_lines_do_not_fill_memory),
        cmocka_unit_test(a_failing_sink_ends_every_run),
        cmocka_unit_test(a_failing_source_ends_every_run),
        cmocka_unit_test(reasons_have_the_names_of_the_specification),
    };
    return cmocka_run_group_tests(tests, make_world, free_world);
}
