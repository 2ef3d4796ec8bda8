/* SPDX-License-Identifier: MPL-2.0 */
/* Which days a command works on: --date, or --from and --to. */
#include "cli/fxci.h"

int fxci_read_days(struct fxci_days *days, const struct fxci_setup *setup, struct err *err)
{
    const struct fxci_args *a = setup->args;
    const int64_t yesterday = setup->today - 1;
    *days = (struct fxci_days){yesterday, yesterday};
    if (a->date && (a->from || a->to))
        return err_set(err, E_ARG, 0, "Give '--date', or '--from' and '--to', not both.");
    if (a->to && !a->from)
        return err_set(err, E_ARG, 0, "'--to' needs '--from'.");
    int r = 0;
    if (a->date) {
        r = fxci_read_date(&days->first, a->date, err);
        days->last = days->first;
    }
    if (r == 0 && a->from)
        r = fxci_read_date(&days->first, a->from, err);
    if (r == 0 && a->to)
        r = fxci_read_date(&days->last, a->to, err);
    if (r < 0)
        return r;
    if (days->first > days->last)
        return err_set(err, E_ARG, 0, "'--from' is later than '--to'%s.",
                       a->to ? "" : ", which is yesterday where it is not given");
    if (days->last - days->first >= FXCI_MAX_DAYS)
        return err_set(err, E_ARG, 0, "From '--from' to '--to' are more than a hundred years.");
    return 0;
}

int fxci_read_any_days(struct fxci_days *days, const struct fxci_setup *setup, struct err *err)
{
    const struct fxci_args *a = setup->args;
    *days = (struct fxci_days){0, setup->today};
    int r = a->from ? fxci_read_date(&days->first, a->from, err) : 0;
    if (r == 0 && a->to)
        r = fxci_read_date(&days->last, a->to, err);
    if (r == 0 && days->first > days->last)
        return err_set(err, E_ARG, 0, "'--from' is later than '--to'.");
    return r;
}
