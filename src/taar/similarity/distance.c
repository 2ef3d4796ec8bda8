/* SPDX-License-Identifier: MPL-2.0 */
#include "taar/similarity/distance.h"

#include <math.h>

double distance_hamming(const struct client *a, const struct client *b)
{
    return ((a->city != b->city) + (a->locale != b->locale) + (a->os != b->os)) / 3.0;
}

static double term(double a, double b)
{
    const double sum = fabs(a) + fabs(b);
    if (sum == 0)
        return 0;
    return isinf(sum) ? fabs(a / 2 - b / 2) / (fabs(a / 2) + fabs(b / 2)) : fabs(a - b) / sum;
}

double distance_canberra(const struct clients *c, const struct client *a, const struct client *b)
{
    double sum = term(clients_hours(c, a), clients_hours(c, b));
    sum += term(a->bookmarks, b->bookmarks);
    sum += term((double)a->tabs, (double)b->tabs);
    sum += term((double)a->uris, (double)b->uris);
    return sum + term(a->tlds, b->tlds);
}

double distance(const struct clients *c, const struct client *a, const struct client *b)
{
    return fabs((distance_canberra(c, a, b) + 0.001) * distance_hamming(a, b));
}
