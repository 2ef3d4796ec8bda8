/* editorial.h - the add-ons that AMO's editors recommend. Source: taar-etl.md 3.1, 3.4, Y12. */
#pragma once

#include "taar/amo_fetch.h"

struct editorial_options {
    const char *url;       // of discovery/editorial
    const char *base;      // "https://addons.mozilla.org/api/v4/", where guids are validated
    bool only_recommended; // adds recommended=true
    bool validate;         // each guid is asked for
    bool allow_shortlist;  // fewer than EDITORIAL_SHORTLIST will do
};
enum { EDITORIAL_SHORTLIST = 100 };

/**
 * Ask, and append the guids as a JSON array: each once, bytewise sorted. One thread.
 * @return 0 with *n of them, or E_* with the original's texts: "HTTP 404 status loading JSON from
 * AMO editorial endpoint.", "Can't validate GUID: ..", "Only obtained 2 editorial reviewed addons."
 */
MUST_CHECK int editorial_fetch(struct buf *json, size_t *n, struct amo_client *client,
                               const struct editorial_options *options, struct err *err);
/**
 * The same of an answer that was read, without asking: guids that are neither missing nor null nor
 * "" nor the text null. They point into answer, which is changed. *n_skipped: results without one.
 * @return 0, E_FORMAT (no array of results), or E_NOMEM.
 */
struct guids;
MUST_CHECK int editorial_read(struct guids *out, size_t *n_skipped, const struct record_ops *ops,
                              struct span answer, struct err *err);
