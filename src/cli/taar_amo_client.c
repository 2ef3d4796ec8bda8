/* SPDX-License-Identifier: MPL-2.0 */
/* How the AMO jobs ask: taar-etl.md 3.1, 3.2, Y5. */
#include "cli/taar.h"
#include "cli/version.h"
#include "taar/amo_base.h"

#include <stdio.h>

enum { MS_OF_S = 1000, MAX_RATE = 1000, MAX_TRIES = 20, MAX_BASE_S = 60, MAX_QUIET_S = 86400 };

#define ARGS struct taar_amo_args
const struct opt taar_amo_client_options[] = {
    OPT_TEXT("amo-url", ARGS, amo_url, "AMO_URL", "URL",
             "Where AMO's interface is; without a path that of the generation is added. The "
             "default is https://addons.mozilla.org/api/v4/ (g1: v3)."),
    OPT_PLACE(OPT_PATH_FILE, "amo-ca-file", ARGS, ca_file, NULL, "FILE",
              "Certificates (PEM) to trust there, instead of the system's."),
    OPT_TEXT("contact", ARGS, contact, "TAAR_CONTACT", "TEXT",
             "Whom AMO may ask about these requests: a URL or mail address for the User-Agent."),
    OPT_REAL("rate", ARGS, rate, NULL, 0, MAX_RATE,
             "Requests a second, of all workers together; 0 for no limit. The default is 10."),
    OPT_UINT("tries", ARGS, tries, NULL, 1, MAX_TRIES,
             "How often a request is sent that may succeed later. The default is 5."),
    OPT_REAL("retry-base", ARGS, retry_base_s, NULL, 0, MAX_BASE_S,
             "Seconds before the second try; they double with each further one. The default is 1."),
    OPT_UINT("max-retry-after", ARGS, max_retry_after_s, NULL, 0, MAX_QUIET_S,
             "Seconds that AMO may ask for quiet at most (Retry-After). The default is 300."),
    OPT_END,
};

struct amo_client_options taar_amo_client(const struct taar_amo_args *a,
                                          char agent[TAAR_AGENT_BYTES], const char *url)
{
    (void)snprintf(agent, TAAR_AGENT_BYTES, "weir-taar-etl/%s (+%s)", WEIR_VERSION, a->contact);
    return (struct amo_client_options){
        .user_agent = agent,
        .ca_file = a->ca_file,
        .rate = a->rate,
        .tries = (unsigned)a->tries,
        .retry_base_ms = (uint32_t)(a->retry_base_s * MS_OF_S),
        .max_retry_after_ms = a->max_retry_after_s * MS_OF_S,
        .direct = amo_is_loopback(url),
    };
}
