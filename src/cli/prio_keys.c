/* SPDX-License-Identifier: MPL-2.0 */
#include "base/secret.h"
#include "cli/prio.h"
#include "codec/base64.h"

#include <errno.h>
#include <stdio.h>

/* Secrets are the purpose of these two commands: they print them and nothing else. */
static int flush(struct err *err)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return EXIT_DONE;
    (void)err_set(err, E_IO, errno, "write standard output");
    return EXIT_FAILED;
}

int cmd_shared_seed(void *args, struct err *err)
{
    (void)args;
    uint8_t secret[PRIO_SECRET_BYTES];
    uint8_t text[24 + BASE64_SLACK];
    struct base64_ops base64;
    const int r = prio_shared_secret(secret);
    if (r != PRIO_OK) {
        (void)stage_prio_err(err, r, "shared-seed");
        return EXIT_FAILED;
    }
    base64_ops_init(&base64, 0);
    const int len = (int)base64.encode(text, secret, sizeof secret);
    (void)printf("{\"shared_seed\": \"%.*s\"}\n", len, (const char *)text);
    secret_wipe(secret, sizeof secret);
    secret_wipe(text, sizeof text);
    return flush(err);
}

int cmd_keygen(void *args, struct err *err)
{
    (void)args;
    uint8_t private_key[PRIO_KEY_BYTES], public_key[PRIO_KEY_BYTES];
    char private_hex[PRIO_KEY_HEX_BYTES], public_hex[PRIO_KEY_HEX_BYTES];
    const int r = prio_keygen(private_key, public_key);
    if (r != PRIO_OK) {
        (void)stage_prio_err(err, r, "keygen");
        return EXIT_FAILED;
    }
    prio_key_to_hex(private_hex, private_key);
    prio_key_to_hex(public_hex, public_key);
    (void)printf("{\"private_key\": \"%s\", \"public_key\": \"%s\"}\n", private_hex, public_hex);
    secret_wipe(private_key, sizeof private_key);
    secret_wipe(private_hex, sizeof private_hex);
    return flush(err);
}
