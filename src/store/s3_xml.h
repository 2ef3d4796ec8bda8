/*
 * s3_xml.h - the answers of S3, which are XML: elements and texts, read strictly and with limits.
 * For the files of store/ only.
 *
 * Attributes are skipped, prefixes of namespaces are dropped, comments and processing instructions
 * stand between elements only. DTDs and CDATA are refused: no answer of S3 has them, and a DTD is
 * what makes XML dangerous.
 */
#pragma once

#include "base/err.h"
#include "base/span.h"

enum {
    S3_XML_MAX_DEPTH = 8,
    S3_XML_MAX_PATH = 256,       // "ListBucketResult/Contents/Key"
    S3_XML_MAX_TEXT = 16 * 1024, // bytes of an element's own text
};

/*
 * Called at the end of each element, inner ones first. path: the names from the root on, joined by
 * "/". text: what stood in it outside of other elements and behind the last of them, decoded; valid
 * during the call. @return 0, or E_* to stop.
 */
typedef int s3_xml_element_fn(void *arg, const char *path, struct span text, struct err *err);

/** Walk a whole document. @return 0, E_FORMAT with the byte where it breaks, E_NOMEM, or what
 * element said. */
MUST_CHECK int s3_xml_walk(struct span document, s3_xml_element_fn *element, void *arg,
                           struct err *err);
