/* SPDX-License-Identifier: MPL-2.0 */
/*
 * rules.c - two records under both rules of seed expansion and both points modes, as a pipeline
 * stores them: base64 texts made with libprio, apart from the vector files, under other keys.
 */
#include "pair.h"

enum { RECORDS = 2, N = 3 };

static const char hashed_1a[] =
    "JMsxsu28uccaRmvgFZjvYhLzjcx6CpZAGcXOhO2qNFEEYtD+KTk+8wvVm4fpp1Dz9lmy6F1aqej3Xioczgz10vN1"
    "AlPfpTCUWz4jSZtEeTdejRc6DkAyVkNna0GP4EQC4WbPSSV7tgh2DHRb7wkpJVtjMQB/GZdVhANtgbOiAMfcHiPC"
    "W2jzNlUuLo1TWRMJxHklYC7/Fw9NSZpq5y3JtdFTCAiRWF1k4fCf+iv4Tfcgad0lGAjBtLn2a6/JWQfj7PUqv9rS"
    "VK+MsxTHD7z/RzA5TQ83DXGtgoUCXKfo+ADd5g==";
static const char hashed_1b[] =
    "flzeEvdRseP6f+LYdXLU5i6uqoP3gJceGmCrsD/Zvnd16v8BYFQXCH7oSb96V1K3MYrC/GSTzRfnsaB48cV/GJU3"
    "7IXhm/MzAgZWtiuxcFkkHVJuEiGpugeahRlbps23Kc5m3nD/b92oobDzPNhLqEMmmwDJq/r7XVJHmr76GFnV+0yb"
    "HkjuSR4UTeB0cY+HM6ZiLD8o7nsIqNx+9w==";
static const char hashed_2a[] =
    "F8Mzk/m6MeV6bfI3vwItQZzJIqN2/yU9jGCr+5KPHSoLqoRZ32uQ/yvH6XnyFbFuKKyc8RrUPxH/3/Ff7X7Z1xoW"
    "98XflyKvIzoHw7dQmaHS+b5f1VMDSwk+dJ3OcCbvNKy9hYcASyyk8TVn0RP2Exfm0dANeJKpYXJJ+uri0G48HoGV"
    "5YzyuZxbAkF/FJ2GOuDdUvs0ItG49vORYpI/HDZQnhysydDhNmmhGIh1A0wIwYPU9Q+g7pVe/MmkM9KBIYhlme5I"
    "COTuVfW73sXG7CPuszpxG7oD7aG7VFH8oxqtdw==";
static const char hashed_2b[] =
    "OYzDUgFk8cyCAyCRQ+vKSNgJigKevQy2nHNG5oAKUxEm79KCAiafkKM04xsrJKtIR8FjLWyRLmYsazOLIu/EjzMq"
    "NctY6vUboHoN72YWEiSnslZxFQwwVnUti/GIvNX1k7dRIbh8rnyDv8DEZTjt4YdFzbjJetwsQd4L06WoqpQgJEhU"
    "E02V/c3uj4/Y3jI8YFsgowHvFX7RNx0bWA==";
static const char legacy_1a[] =
    "FT3qRmZlTFWcX9yM6xnz53t2GU65U4QB/WXZ6PKiSwaeEtd12mMfPvCDYuCPhubjCRuV2shQk6WP9j2MDYxDmBSK"
    "YEQX06fuSXZY6n9jVyCzOQaKkCtCS9qt7kE4ZFK616/isdfjSpZuDFir5dSljiFP0At0HrLCVSUlPvYszFsReohl"
    "bcYDIpv+qsZnyoyFob9E0qo8hYfVEXwIo5C0iajPHiQF+os5LV35dxv4OxGPK+GQVLDSQzbraFGwNCGA/7YQbzuE"
    "1joJopF9euT+zbiE8+XIMaTlLx6CJFN+yhUSlg==";
static const char legacy_1b[] =
    "gRdrdC/DC5jCzZPW8EEFFDyr89XdzlR8dV9Jm9+h1EKVHPZaq8BnfQqBdIQalEgX5zF3fwJPUyVz6smDtyFT0uRu"
    "ieypS0T1XJ+6hITHtIKFFVzr/aCvDxG7VEPq1oiHid//mF7ZXnT2wmd3A/h64SQf2D52OOJaS34AzxniRugIiz2h"
    "oDG61kIg3gWqi6XKxN4U0egDZpV/wwrusw==";
static const char legacy_2a[] =
    "ZpgYDukmWckePUIEKtcAt4vSBneJQUc647rFwpaIjTOXjI88Nqxb4JG4xnQc20dY61OjofxZU20DcQ74gO3Q7ybm"
    "Xby0A5D951+IzQDaZlaJt4rMvL2wB304M/W9HM2r4uLPVw9wepahPtW9hGEfZvsvbwFca0tQGSJr4491sy65AqoX"
    "ESmTjCSYUtA/08gEgmLz2tj+ftkIzq6Bxj9Ztn0on93CyGwNv8zLrtJnERC+9vf79X6J9hP0sTrFThaI9AE70k11"
    "i4r0lrvhKmFuAX1AIPt7RoBH6E3PcwKUMM5VlQ==";
static const char legacy_2b[] =
    "+57vZL+UdNki6DaddEvnQbHSqIYEHGE2WaaBCtzApyoOQfVcndb01vGZtGbieoxYexg3wcPrTAjFTcV5qja+xKuD"
    "PjGcjP60IBIcL2XcCQMgl/YMZzcNkTH/G7x7RbZk6wweHF1pVXXEpjlcGGG+DBtExSqVflLL2c83qBGRrK+KWdMF"
    "V/n4p6/uC6kmJ779uuvT0VRpOiUX01x74A==";

struct rule {
    struct {
        const char *share[ROLES];
        const char *verify1[MODES][ROLES];
        const char *verify2[ROLES]; // at the first point
    } record[RECORDS];
    const char *total[ROLES];
};

static const struct rule hashed = {
    .record =
        {
            {.share = {hashed_1a, hashed_1b},
             .verify1 = {{"qyT9Lc1mTE+fnfA6q3SIpG3G1CvKobAj", "q1+Gyu/EI2ZnKIeVqwS3bnS1DuZPaJ/c"},
                         {"qyT9Lc1mTE+fnfA6q3SIpG3G1CvKobAj", "q1+Gyu/EI2ZnKIeVqwS3bnS1DuZPaJ/c"}},
             .verify2 = {"q0npApDEsbTW6fMR", "qzYW/W87TkspHgzw"}},
            {.share = {hashed_2a, hashed_2b},
             .verify1 = {{"q18ArfXEgDgB4CkBq1YNwIHpJLWawiCc", "q2Q8d0AcqD2aTVdiqxIYU7iW/rhjKS/H"},
                         {"qzWW1tmzsm/ebimYqwheDnjMP9i6y2ZJ", "qzx19Y/iQECEcNsLq3etxEwGICXcGnCZ"}},
             .verify2 = {"q0SIOhUj/AlI0+Kw", "qzt3xercA/a3NB1R"}},
        },
    .total = {"AJOrZpCHg/7gX6YQTGCrKdzulECCCbtG21WraSsB0twXbFDauQY=",
              "AZOrGW94fAEfoFn3s6OrViMRa7999kTBJK2rFtT+LSPok68tRvw="}};

static const struct rule legacy = {
    .record =
        {
            {.share = {legacy_1a, legacy_1b},
             .verify1 = {{"q03QMV4YBpt25BNOqwPIemdPr/RBUpQu", "q2yY5vxkZS/59aIsqzEDfChGeCHklTtS"},
                         {"q03QMV4YBpt25BNOqwPIemdPr/RBUpQu", "q2yY5vxkZS/59aIsqzEDfChGeCHklTtS"}},
             .verify2 = {"q2FPzry4so+5rP/h", "qx6wMUNHTXBGWwAg"}},
            {.share = {legacy_2a, legacy_2b},
             .verify1 = {{"qwcysCcw0FohGk9kq31EX6KfOGN5eOtr", "qxVoMYfxJYOiqrunqxzLV0sXcwSXiHjK"},
                         {"qxJyBgLcJHDU6JipqwKnunVh8pud4KDh", "q1tG0R1jokSNHDgDqyx63MFu4LOH/eWo"}},
             .verify2 = {"q0OXEEDWowwTg546", "qzxo778pXPPshGHH"}},
        },
    .total = {"AJOrWB19ZG9d4LxwsoOrZa3U95hdkift5ZGrTBgM2MZKfeRWJDA=",
              "AZOrJ+KCm5CiH0OXTYCrGlIrCGeibdgaGnGrM+fzJzm1ghux29I="}};

static const char *const private_key[ROLES] = {
    "5A7B56C8C1E01271919B971BBEBFF33F4B7A328EFC6B057D97363741491661FE",
    "6FC108A9059185CEDD52CE28B178D2F2FADF5446BA166FFBB9A88FB72C6BB186"};
static const char *const public_key[ROLES] = {
    "E2BCE2E766B8F0A943BB8F61ABC8CE2B4E8ADF841524811375BDE7907D0D4E0B",
    "7B65AF6A8A4FB96B2BBFBB339589D1C5BB8E8820D5AA6322E3D54C9E6EF74649"};

static void keys_of_rules(struct keys *k)
{
    for (int x = 0; x < ROLES; x++) {
        const size_t len = strlen(private_key[x]);
        assert_int_equal(prio_key_from_hex(k->private_key[x], private_key[x], len), PRIO_OK);
        assert_int_equal(prio_key_from_hex(k->public_key[x], public_key[x], len), PRIO_OK);
    }
    for (unsigned i = 0; i < PRIO_SECRET_BYTES; i++)
        k->secret[i] = (uint8_t)i;
}

static void assert_text(const void *got, size_t len, const char *base64)
{
    BYTES want = from_base64(base64);
    assert_int_equal(len, want.len);
    assert_memory_equal(got, want.ptr, len);
}

static void run(const struct rule *rule, enum prio_prg prg, int mode)
{
    const struct prio_batch_options options = {
        .batch_id = "test-0", .batch_id_len = 6, .n_data = N, .prg = prg};
    struct keys keys;
    PAIR p;
    uint64_t totals[N];
    keys_of_rules(&keys);
    pair_init(&p, &options, &keys, (enum prio_points)mode);
    for (int i = 0; i < RECORDS; i++) {
        struct messages m;
        BYTES a = from_base64(rule->record[i].share[0]);
        BYTES b = from_base64(rule->record[i].share[1]);
        pair_open(&p, a, b);
        assert_int_equal(pair_exchange(&p, &m), PRIO_OK);
        for (int x = 0; x < ROLES; x++) {
            assert_text(m.verify1[x], m.verify1_len[x], rule->record[i].verify1[mode][x]);
            if (mode == PRIO_POINTS_FIRST || i == 0)
                assert_text(m.verify2[x], m.verify2_len[x], rule->record[i].verify2[x]);
        }
        pair_add(&p, &m, PRIO_OK);
    }
    for (int x = 0; x < ROLES; x++) {
        BYTES total = sum_total_share(p.sum[x]);
        assert_text(total.ptr, total.len, rule->total[x]);
    }
    assert_int_equal(pair_final(&p, totals), PRIO_OK);
    assert_int_equal(totals[0], 2);
    assert_int_equal(totals[1], 1);
    assert_int_equal(totals[2], 1);
}

static void the_hashed_rule_holds_in_both_modes(void **state)
{
    (void)state;
    run(&hashed, PRIO_PRG_HASHED, PRIO_POINTS_FIRST);
    run(&hashed, PRIO_PRG_HASHED, PRIO_POINTS_SEQUENTIAL);
}

static void the_legacy_rule_holds_in_both_modes(void **state)
{
    (void)state;
    run(&legacy, PRIO_PRG_LEGACY, PRIO_POINTS_FIRST);
    run(&legacy, PRIO_PRG_LEGACY, PRIO_POINTS_SEQUENTIAL);
}

static void public_halves_belong_to_private_ones(void **state)
{
    (void)state;
    struct keys keys;
    uint8_t key[PRIO_KEY_BYTES];
    keys_of_rules(&keys);
    for (int x = 0; x < ROLES; x++) {
        assert_int_equal(prio_public_key(key, keys.private_key[x]), PRIO_OK);
        assert_memory_equal(key, keys.public_key[x], sizeof key);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_hashed_rule_holds_in_both_modes),
        cmocka_unit_test(the_legacy_rule_holds_in_both_modes),
        cmocka_unit_test(public_halves_belong_to_private_ones),
    };
    return cmocka_run_group_tests_name("prio/rules", tests, NULL, NULL);
}
