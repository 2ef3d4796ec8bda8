/*
 * manifest.h - a signed description of what a server sends for a stage; an opt-in protection, since
 * bucket permissions are the original's only one (prio-processor.md sections 1 and 12).
 *
 * _MANIFEST.json beside the stage's marker: {"manifest": text, "signature": base64}. The text is a
 * JSON object with stage, date, application, server, parameters, batches with their counts, and the
 * digest of all parts; the signature (Ed25519, RFC 8032) covers its bytes. An original partner
 * ignores the file, for its name begins with "_".
 */
#pragma once

#include "processor/run.h"

#define MANIFEST_NAME "_MANIFEST.json"

/** Can both key files be used? @return 0 or E_ARG, E_FORMAT naming the option and the file. */
MUST_CHECK int manifest_check_keys(const char *sign_key, const char *verify_key, struct err *err);
/** Write it into a folder of the partner's mailbox, where --sign-key is given. */
MUST_CHECK int manifest_send(struct run *run, enum run_stage stage, const char *folder,
                             struct err *err);
/**
 * Check the partner's for a stage with this digest, where --verify-key is given.
 * @return 0; E_FORMAT: missing, not signed by the partner, of other data, or made with other
 * parameters, which err names.
 */
MUST_CHECK int manifest_check(struct run *run, enum run_stage stage, const struct hash *digest,
                              struct err *err);
