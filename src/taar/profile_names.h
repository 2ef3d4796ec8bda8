/* profile_names.h - what the Avro files are called. Source: taar-etl.md 4. */
#pragma once

#include "taar/profile.h"

/** "taar-profile.20210314.avro." */
void profile_day_prefix(char out[PROFILE_NAME_BYTES], const char *iso);
void profile_shard_name(char out[PROFILE_NAME_BYTES], const char *iso, uint64_t number);
