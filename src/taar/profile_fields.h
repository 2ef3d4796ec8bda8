/* profile_fields.h - the fields of an add-on, in their order. Source: taar-etl.md 2. */
#pragma once

enum profile_type { PROFILE_TEXT, PROFILE_BOOL, PROFILE_LONG };
struct profile_field {
    const char *name;
    enum profile_type type;
};
enum { PROFILE_ADDON_FIELDS = 16 };
extern const struct profile_field profile_addon_fields[PROFILE_ADDON_FIELDS];
