/* distance.h - how far two clients are apart: 0 is alike. Source: taar-etl.md section 5 step 6. */
#pragma once

#include "taar/similarity/clients.h"

/** The share of city, locale and system that differ: 0, 1/3, 2/3, 1; null is the empty text. */
double distance_hamming(const struct client *a, const struct client *b);
/** Sum over hours, bookmarks, tabs, URIs and domains of |a-b| / (|a|+|b|); null is 0, 0/0 is 0. */
double distance_canberra(const struct clients *c, const struct client *a, const struct client *b);
/** |(canberra + 0.001) x hamming|, in [0, 5.001]. */
double distance(const struct clients *c, const struct client *a, const struct client *b);
