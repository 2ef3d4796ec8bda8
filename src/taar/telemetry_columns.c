/* SPDX-License-Identifier: MPL-2.0 */
/* The columns of each kind of telemetry. Source: taar-etl.md section 2, 4, 7.2. */
#include "taar/telemetry_internal.h"

#define TEXT "VARCHAR"

#define ADDON_FIELDS(F)                                                                            \
    F("addon_id", TEXT)                                                                            \
    F("blocklisted", "BOOLEAN")                                                                    \
    F("name", TEXT)                                                                                \
    F("user_disabled", "BOOLEAN")                                                                  \
    F("app_disabled", "BOOLEAN")                                                                   \
    F("version", TEXT)                                                                             \
    F("scope", "BIGINT")                                                                           \
    F("type", TEXT)                                                                                \
    F("foreign_install", "BOOLEAN")                                                                \
    F("has_binary_components", "BOOLEAN")                                                          \
    F("install_day", "BIGINT")                                                                     \
    F("update_day", "BIGINT")                                                                      \
    F("signed_state", "BIGINT")                                                                    \
    F("is_system", "BOOLEAN")                                                                      \
    F("is_web_extension", "BOOLEAN")

#define LAST_FIELD           "multiprocess_compatible"
#define AS_FIELD(name, type) {name, type, false},
#define AS_TYPE(name, type)  "\"" name "\" " type ", "

const struct telemetry_column telemetry_addon_fields[] = {
    ADDON_FIELDS(AS_FIELD){LAST_FIELD, "BOOLEAN", false}, {0}};

static const struct telemetry_column clients[] = {
    {"client_id", TEXT, false},
    {"channel", TEXT, false},
    {"normalized_channel", TEXT, false},
    {"app_name", TEXT, false},
    {"locale", TEXT, false},
    {"city", TEXT, false},
    {"os", TEXT, false},
    {"subsession_hours_sum", "DECIMAL(38,9)", true},
    {"places_bookmarks_count_mean", "DOUBLE", false},
    {"scalar_parent_browser_engagement_unique_domains_count_mean", "DOUBLE", false},
    {"scalar_parent_browser_engagement_tab_open_event_count_sum", "BIGINT", false},
    {"scalar_parent_browser_engagement_total_uri_count_sum", "BIGINT", false},
    {"active_addons", "STRUCT(" ADDON_FIELDS(AS_TYPE) LAST_FIELD " BOOLEAN)[]", false},
    {0},
};
static const struct telemetry_column addons[] = {
    {"client_id", TEXT, false}, {"addon_id", TEXT, false}, {0}};
static const struct telemetry_column deletions[] = {
    {"client_id", TEXT, false}, {"submission_timestamp", "TIMESTAMP WITH TIME ZONE", true}, {0}};

const struct telemetry_column *const telemetry_columns[] = {
    [TELEMETRY_CLIENTS] = clients,
    [TELEMETRY_ADDONS] = addons,
    [TELEMETRY_DELETIONS] = deletions,
};

const char *const *telemetry_needed(enum telemetry_kind kind)
{
    static const char *const needed[][3] = {
        [TELEMETRY_CLIENTS] = {"client_id", "active_addons"},
        [TELEMETRY_ADDONS] = {"client_id", "addon_id"},
        [TELEMETRY_DELETIONS] = {"client_id", "submission_timestamp"},
    };
    return needed[kind];
}
