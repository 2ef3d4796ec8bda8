#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""process_kills.py BUILD WORK KILLS ONE_BUCKET KEPT [URL ROOT ACCESS SECRET] - servers that are killed at random.

Data set after data set of one date is processed, while both servers are killed with SIGKILL at random moments and
started again at once, until KILLS of them have happened. After each data set both must have published its
totals, and nothing else may be different. On directories below WORK, or on the S3 server at URL that
keeps its objects below ROOT. WEIR_SEED decides when (default 1).
"""
import os
import pathlib
import random
import sys
import time

import two_servers
from two_servers import Failed, Pair, Store, Tap


def hurt(pair, dice, seconds, options):
    """One data set, with up to three kills of each server. @return how many there were."""
    n_killed = 0
    plan = sorted((dice.uniform(0, seconds), role) for role in "AB" for _ in range(dice.choice((1, 2, 3))))
    began = time.monotonic()
    for role in dice.sample("AB", 2):
        pair.start(role, *options, f"--workers={dice.randint(1, 3)}")
    for moment, role in plan:
        time.sleep(max(0, began + moment - time.monotonic()))
        if pair.kill(role):
            n_killed += 1
            if dice.random() < 0.2:  # both at once
                n_killed += pair.kill(two_servers.other(role))
        for each in "AB":
            if pair.running[each].poll() is not None and pair.running[each].returncode < 0:
                pair.start(each, *options, f"--workers={dice.randint(1, 3)}")
    for role in "AB":
        pair.finish(role)
    return n_killed


def kills(pair, n_wanted, kept, seed):
    dice, options = random.Random(seed), ["--keep-state"] if kept else []
    sets = [pair.make_data(f"set{i}", i + 1, 9 + 3 * i, "bit2=2,proof=1,replay=2,truncated-a=1,lost-b=1", lines)
            for i, lines in enumerate((6, 1000, 4))]
    pair.stage(sets[0])
    began = time.monotonic()
    pair.run_both(*options)  # how long it takes decides when to kill
    pair.check(sets[0], kept)
    seconds, n_killed, n_rounds = 1.3 * (time.monotonic() - began), 0, 0
    while n_killed < n_wanted:
        n_rounds += 1
        data = sets[n_rounds % len(sets)]
        pair.stage(data)
        pair.forget_logs()
        try:
            n_killed += hurt(pair, dice, seconds, options)
            pair.check(data, kept)
        except Failed as failed:
            raise Failed(f"data set {n_rounds}, after {n_killed} kills: {failed}") from failed
    return f"{n_killed} kills in {n_rounds} data sets"


def main(build, work, n_kills, one_bucket, kept, *s3):
    tap, work = Tap(), pathlib.Path(work)
    store = Store(work / "store")
    if s3:
        url, root, access, secret = s3
        store = Store(pathlib.Path(root), {"A": url, "B": url, "admin": url}, access, secret)
    name = f"{'one bucket' if one_bucket == '1' else 'separate buckets'}, state {'kept' if kept == '1' else 'cleaned'}"
    seed = two_servers.digest(f"{name} {os.environ.get('WEIR_SEED', 1)}")
    pair = Pair(build, work / "pair", store, one_bucket == "1", f"-{one_bucket}{kept}")
    try:
        tap.promise(f"{name}: killed at random, they finish with the right totals", kills, pair,
                    int(n_kills), kept == "1", seed)
    finally:
        pair.kill_all()
    tap.done()


main(*sys.argv[1:])
