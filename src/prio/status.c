/* SPDX-License-Identifier: MPL-2.0 */
#include "weir/prio.h"

const char *prio_status_text(int status)
{
    switch (status) {
    case PRIO_OK:
        return "ok";
    case PRIO_E_ARG:
        return "an argument is outside its documented range";
    case PRIO_E_NOMEM:
        return "out of memory";
    case PRIO_E_CRYPTO:
        return "libcrypto failed or lacks an algorithm (X25519, AES-128-GCM, AES-128-CTR, SHA-256)";
    case PRIO_E_KEY:
        return "unusable key: not 64 hex digits, of low order, or halves that do not belong "
               "together";
    case PRIO_E_INPUT:
        return "a value to encode is out of range";
    case PRIO_E_RANGE:
        return "a total does not fit 64 bits: the two servers summed different records";
    case PRIO_REJECT_DECRYPT:
        return "the share does not decrypt under this key";
    case PRIO_REJECT_PARSE:
        return "the share is no packet for this server, batch and vector length";
    case PRIO_REJECT_PACKET:
        return "malformed message";
    case PRIO_REJECT_INVALID:
        return "the proof does not hold";
    default:
        return "unknown status";
    }
}
