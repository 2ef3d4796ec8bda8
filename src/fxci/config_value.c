/* SPDX-License-Identifier: MPL-2.0 */
/* From text to a field. What the environment holds is text throughout, whatever the type. */
#include "base/secret.h"
#include "codec/base64.h"
#include "fxci/config_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char masked[] = "********";

char *config_keep(struct fxci_config *c, const char *text, struct err *err)
{
    struct config_impl *impl = c->impl;
    char **texts = realloc(impl->texts, (impl->n_texts + 1) * sizeof *texts);
    if (texts)
        impl->texts = texts;
    char *copy = texts ? strdup(text) : NULL;
    if (copy)
        impl->texts[impl->n_texts++] = copy;
    else
        (void)err_set(err, E_NOMEM, 0, "no memory for the configuration");
    return copy;
}

static int malformed(const char *key, const struct found *f, const char *why, struct err *err)
{
    return err_set(err, E_ARG, 0, "%s (%s) %s", key, f->origin, why);
}

static int set_uint(uint64_t *out, const struct key *key, const char *name, const struct found *f,
                    struct err *err)
{
    char why[96];
    const size_t len = strlen(f->text);
    uint64_t value = 0;
    const bool digits = len > 0 && len <= 18 && strspn(f->text, "0123456789") == len;
    for (const char *d = f->text; digits && *d; d++)
        value = value * 10 + (uint64_t)(*d - '0');
    (void)snprintf(why, sizeof why, "is no number from %ju to %ju", (uintmax_t)key->min,
                   (uintmax_t)key->max);
    if (!digits || value < key->min || value > key->max)
        return malformed(name, f, why, err);
    *out = value;
    return 0;
}

static int set_bool(bool *out, const char *name, const struct found *f, struct err *err)
{
    static const char *const yes[] = {"true", "1", "yes", "on"}, *const no[] = {"false", "0", "no",
                                                                                "off"};
    for (size_t i = 0; i < ARRAY_LEN(yes); i++) {
        if (strcasecmp(f->text, yes[i]) == 0 || strcasecmp(f->text, no[i]) == 0) {
            *out = strcasecmp(f->text, yes[i]) == 0;
            return 0;
        }
    }
    return malformed(name, f, "is neither true nor false", err);
}

static int set_password(struct opt_secret *out, const char *name, const struct found *f,
                        struct err *err)
{
    const size_t len = strlen(f->text);
    if (len >= sizeof out->text)
        return malformed(name, f, "is too long", err);
    secret_wipe(out, sizeof *out);
    memcpy(out->text, f->text, len);
    out->len = len;
    return 0;
}

/* Base64 tools break lines; what stands between them does not count. */
static size_t without_blanks(char *out, const char *text)
{
    size_t n = 0;
    for (const char *c = text; *c; c++)
        if (!strchr(" \t\r\n", *c))
            out[n++] = *c;
    return n;
}

static int set_credentials(struct opt_secret *out, const char *name, const struct found *f,
                           struct err *err)
{
    struct base64_ops ops;
    base64_ops_init(&ops, 0);
    const size_t len = strlen(f->text), room = base64_decode_room(len + 4);
    char *packed = malloc(len + 1);
    uint8_t *plain = malloc(room);
    if (!packed || !plain) {
        free(packed);
        free(plain);
        return err_set(err, E_NOMEM, 0, "no memory for the configuration");
    }
    const size_t n_packed = without_blanks(packed, f->text);
    const ptrdiff_t n = ops.decode(plain, (const uint8_t *)packed, n_packed);
    int r = 0;
    if (n <= 0 || memchr(plain, '\0', (size_t)n))
        r = malformed(name, f, "is not the base64 of a service account's JSON file", err);
    else if ((size_t)n >= sizeof out->text)
        r = malformed(name, f, "is too long", err);
    if (r == 0) {
        secret_wipe(out, sizeof *out);
        memcpy(out->text, plain, (size_t)n);
        out->len = (size_t)n;
    }
    secret_wipe(packed, len + 1);
    secret_wipe(plain, room);
    free(packed);
    free(plain);
    return r;
}

/* "a, b": items end up in one text, cut at the commas. */
static int set_list(struct fxci_config *c, const char **out, const struct key *key,
                    const char *name, const struct found *f, struct err *err)
{
    char why[64];
    size_t n = 0;
    char *text = config_keep(c, f->text, err);
    if (!text)
        return E_NOMEM;
    (void)snprintf(why, sizeof why, "has more than %ju items", (uintmax_t)key->max);
    for (char *item = text, *comma; item; item = comma ? comma + 1 : NULL) {
        comma = strchr(item, ',');
        if (comma)
            *comma = '\0';
        item += strspn(item, " \t");
        for (size_t len = strlen(item); len > 0 && strchr(" \t", item[len - 1]); len--)
            item[len - 1] = '\0';
        if (!item[0])
            return malformed(name, f, "has an empty item", err);
        if (n == key->max)
            return malformed(name, f, why, err);
        out[n++] = item;
    }
    out[n] = NULL;
    return 0;
}

static int set_text(struct fxci_config *c, const char **out, const struct key *key,
                    const char *name, const struct found *f, struct err *err)
{
    for (const char *t = f->text; *t; t++)
        if ((unsigned char)*t < ' ' || *t == '\x7f')
            return malformed(name, f, "has a control character", err);
    if (key->kind == KEY_URL && strncmp(f->text, "http://", 7) != 0 &&
        strncmp(f->text, "https://", 8) != 0)
        return malformed(name, f, "is no http:// or https:// address", err);
    *out = config_keep(c, f->text, err);
    return *out ? 0 : E_NOMEM;
}

static const char *kind_name(enum key_kind kind)
{
    return kind == KEY_UINT   ? "is not a number"
           : kind == KEY_BOOL ? "is neither true nor false"
           : kind == KEY_LIST ? "is no list of texts"
                              : "is not a text in quotes";
}

static bool fits(enum key_kind key, enum toml_kind found)
{
    return found == TOML_STRING || (key == KEY_UINT && found == TOML_INTEGER) ||
           (key == KEY_BOOL && found == TOML_BOOL) || (key == KEY_LIST && found == TOML_ARRAY);
}

static int convert(struct fxci_config *c, void *field, const struct key *key, const char *name,
                   const struct found *f, struct err *err)
{
    switch (key->kind) {
    case KEY_UINT:
        return set_uint(field, key, name, f, err);
    case KEY_BOOL:
        return set_bool(field, name, f, err);
    case KEY_PASSWORD:
        return set_password(field, name, f, err);
    case KEY_CREDENTIALS:
        return set_credentials(field, name, f, err);
    case KEY_LIST:
        return set_list(c, field, key, name, f, err);
    default:
        return set_text(c, field, key, name, f, err);
    }
}

int config_set(struct fxci_config *c, void *at, const struct key *key, struct slot *slot,
               const char *key_name, const struct found *f, struct err *err)
{
    if (slot->origin && slot->from_environment == f->from_environment)
        return err_set(err, E_ARG, 0, "%s is set twice: by %s and by %s", key_name, slot->origin,
                       f->origin);
    if (!fits(key->kind, f->kind))
        return malformed(key_name, f, kind_name(key->kind), err);
    if (f->text[0] == '\0' && f->kind != TOML_ARRAY)
        return 0;
    const int r = convert(c, (char *)at + key->offset, key, key_name, f, err);
    if (r < 0)
        return r;
    const bool secret = key->kind == KEY_PASSWORD || key->kind == KEY_CREDENTIALS;
    slot->shown = secret ? masked : config_keep(c, f->text, err);
    slot->origin = config_keep(c, f->origin, err);
    slot->from_environment = f->from_environment;
    return slot->shown && slot->origin ? 0 : E_NOMEM;
}
