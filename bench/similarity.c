/* SPDX-License-Identifier: MPL-2.0 */
/*
 * similarity [CLIENTS [CLUSTERS [WORKERS]]] - what the similarity job costs behind its query, on
 * made-up clients: 200 add-ons of which few are popular, 3 to 10 a client, in groups that share a
 * taste. Printed are seconds of the clock, seconds of CPU and the largest memory.
 */
#include "taar/similarity/similarity.h"

#include "base/compiler.h"
#include "base/log.h"
#include "timing.h"

#include <stdio.h>
#include <sys/resource.h>
#include <time.h>

enum { ADDONS = 200, TASTES = 30, CITIES = 5000, ITEMS_MIN = 3, ITEMS_MORE = 8 };

static uint64_t state = 1;

static uint32_t draw(uint32_t below)
{
    state = state * 6364136223846793005U + 1442695040888963407U;
    return (uint32_t)((state >> 32) * below >> 32);
}

/* A taste is 20 neighbours; one of three add-ons comes from anywhere, low numbers more often. */
static uint32_t draw_addon(uint32_t taste)
{
    const uint32_t any = draw(ADDONS);
    return draw(3) > 0 ? (taste * ADDONS / TASTES + draw(20)) % ADDONS : any * any / ADDONS;
}

static struct cell *draw_client(size_t i)
{
    static char id[48], city[24], hours[24], names[ITEMS_MIN + ITEMS_MORE][48];
    static struct span items[ITEMS_MIN + ITEMS_MORE];
    static struct cell row[CLIENT_COLUMNS];
    const uint32_t taste = draw(TASTES), n = ITEMS_MIN + draw(ITEMS_MORE);
    (void)snprintf(id, sizeof id, "%08x-0000-4000-8000-%012zu", draw(UINT32_MAX), i);
    (void)snprintf(city, sizeof city, "City %u", draw(CITIES));
    (void)snprintf(hours, sizeof hours, "%u.%06u000", draw(100), draw(1000000));
    for (uint32_t k = 0; k < n; k++)
        items[k] =
            span_of(names[k], (size_t)snprintf(names[k], sizeof names[k],
                                               "{addon-%u}@bench.example", draw_addon(taste)));
    row[CLIENT_ID].text = span_str(id);
    row[CLIENT_CITY].text = span_str(city);
    row[CLIENT_HOURS].text = span_str(hours);
    row[CLIENT_LOCALE].text = span_str(taste % 3 > 0 ? "en-US" : "de");
    row[CLIENT_OS].text = span_str("Windows_NT");
    row[CLIENT_BOOKMARKS].real = draw(500);
    row[CLIENT_TABS].integer = draw(200);
    row[CLIENT_URIS].integer = draw(5000);
    row[CLIENT_TLDS].real = draw(100);
    row[CLIENT_ADDONS] = (struct cell){.items = items, .n_items = n};
    return row;
}

static double now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void print_step(const char *step, double *since, double *cpu)
{
    struct rusage use;
    (void)getrusage(RUSAGE_SELF, &use);
    printf("%-10s %8.2f s %8.2f s CPU %8ld MiB\n", step, now() - *since, (cpu_us() - *cpu) / 1e6,
           use.ru_maxrss / 1024);
    *since = now();
    *cpu = cpu_us();
}

static unsigned long argument(int argc, char **argv, int i, unsigned long otherwise)
{
    return argc > i ? strtoul(argv[i], NULL, 10) : otherwise;
}

int main(int argc, char **argv)
{
    const size_t n = argument(argc, argv, 1, 100000);
    const struct similarity_config config = {
        .n_clusters = (uint32_t)argument(argc, argv, 2, 20),
        .n_donors = 1000,
        .bandwidth = 0.35,
        .n_points = 1000,
        .seed = 1,
        .n_workers = (unsigned)argument(argc, argv, 3, 2),
    };
    CLEANUP(clients_deinit) struct clients clients;
    CLEANUP(similarity_result_deinit) struct similarity_result result = {0};
    struct err err = {0};
    double since = now(), cpu = cpu_us();
    log_init("bench-similarity", LOG_FORMAT_TEXT, LOG_LEVEL_WARNING);
    clients_init(&clients);
    int r = 0;
    for (size_t i = 0; i < n && r == 0; i++)
        r = clients_add(&clients, draw_client(i), &err);
    print_step("add", &since, &cpu);
    clients_sort(&clients);
    print_step("sort", &since, &cpu);
    if (r == 0)
        r = similarity_run(&result, &clients, &config, &err);
    print_step("run", &since, &cpu);
    if (r < 0)
        (void)fprintf(stderr, "similarity: %s\n", err.text);
    else
        printf("%zu clients, %u clusters, %zu donors\n", n, result.n_clusters, result.n_donors);
    return r < 0;
}
