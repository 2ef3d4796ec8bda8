/* plot.h - pictures of what the jobs write, as SVG. */
#pragma once

#include "base/buf.h"

enum plot_kind {
    PLOT_LR_CURVES,      // of lr_curves: both densities, and the logarithm of their ratio
    PLOT_COINSTALLATION, // of guid_coinstallation: the add-ons that are most often beside others
    PLOT_LOCALE,         // of top10_dict: each locale's weights
};
enum { PLOT_BYTES_MAX = 64 << 20 };

/** Append a picture of an object's text. It stands for itself: no script, font or file is needed,
 * and colours follow the reader's light or dark theme. @return 0; E_FORMAT: it is no such object;
 * or E_NOMEM. */
MUST_CHECK int plot_svg(struct buf *svg, enum plot_kind kind, struct span json, struct err *err);
