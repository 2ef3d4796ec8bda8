/* config_internal.h - what the files of the configuration share. */
#pragma once

#include "fxci/config.h"

enum { CONFIG_MAX_KEYS = 64, CONFIG_METRIC_KEYS = 6, CONFIG_KEY_BYTES = 128 };

enum key_kind {
    KEY_TEXT,
    KEY_URL,
    KEY_UINT,
    KEY_BOOL,
    KEY_PASSWORD,    // secret text
    KEY_CREDENTIALS, // secret: base64 of a service account's JSON
    KEY_LIST,        // of texts: const char *[], NULL ends
};

struct key {
    const char *name; // "bigquery.tables.tasks"; of a metric "type"; NULL ends
    enum config_section section;
    enum key_kind kind;
    size_t offset;        // into struct fxci_config, or struct metric_config
    const char *fallback; // as text; NULL: none
    uint64_t min, max;    // numbers; of a list, how many at most
};
extern const struct key config_keys[], config_metric_keys[];
extern const char *const config_sections[CONFIG_N_SECTIONS + 1];

/* What was set, and where. */
struct slot {
    const char *shown;  // as text, secrets masked; NULL: the default
    const char *origin; // "default", "FILE:12", "FXCI_ETL_PULSE_USER"
    bool from_environment;
};

struct metric_slots {
    struct slot slots[CONFIG_METRIC_KEYS];
};

struct config_impl {
    struct slot slots[CONFIG_MAX_KEYS];
    struct metric_slots metrics[CONFIG_MAX_METRICS];
    char **texts; // all of them owned, and wiped at the end
    size_t n_texts;
    const char *file; // what was read, or would have been; NULL: nothing
    bool environment_counts;
};

/** A copy that lives as long as the configuration. NULL: no memory, err says so. */
char *config_keep(struct fxci_config *c, const char *text, struct err *err);

/* A value as it was found. */
struct found {
    const char *text;    // lists with commas
    enum toml_kind kind; // TOML_STRING: as text, which may stand for any kind
    const char *origin;
    bool from_environment;
};
/**
 * Set a key from what was found. at: the struct that key->offset is of. key_name: in full, for
 * messages. @return 0, E_ARG, E_NOMEM.
 */
MUST_CHECK int config_set(struct fxci_config *c, void *at, const struct key *key, struct slot *slot,
                          const char *key_name, const struct found *found, struct err *err);

/* config_path.c */
enum config_at {
    CONFIG_NOWHERE,
    CONFIG_KEY,
    CONFIG_TABLE,
    CONFIG_BELOW_KEY, // "pulse.user.x"
};
/** What a path ("monitoring.metrics.x.type", any case) leads to. */
enum config_at config_find(const char *path);
/** The section that a path begins with, or CONFIG_N_SECTIONS. */
enum config_section config_section_of(const char *path);
/** Set the key of a path, or warn that nobody knows it. @return 0, E_ARG, E_NOMEM. */
MUST_CHECK int config_set_path(struct fxci_config *c, const char *path, const struct found *found,
                               struct err *err);
void config_warn_unknown(const char *path, const char *origin);
/** Find or add a metric, all defaults but its type. NULL: there are too many, or no memory. */
struct metric_config *config_metric(struct fxci_config *c, const char *name, size_t len,
                                    struct err *err);
/** Give every key of such a table its default. @return 0, E_NOMEM. */
MUST_CHECK int config_set_defaults(struct fxci_config *c, void *at, const struct key *keys,
                                   struct err *err);

/* config_read.c */
MUST_CHECK int config_read_file(struct fxci_config *c, const char *path, bool must_exist,
                                struct err *err);
MUST_CHECK int config_read_environment(struct fxci_config *c, char *const *environment,
                                       struct err *err);
/** "FXCI_ETL_PULSE_USER" of "pulse.user". */
void config_variable(char out[CONFIG_KEY_BYTES], const char *key);
