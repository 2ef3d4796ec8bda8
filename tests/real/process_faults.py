#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""process_faults.py BUILD WORK ROOT ACCESS SECRET URL URL_A RULES_A LOG_A URL_B RULES_B LOG_B - servers
whose S3 server fails them.

The S3 server at URL keeps its objects below ROOT. Each server reaches it through a fault proxy of its own. First the
proxies break requests at random places (WEIR_SEED decides which, default 1; WEIR_FAULT_RUNS how often). Then one is
refused for good, and started again later. Then one is killed before its k-th change of the store and started again,
while the other goes on; WEIR_KILL_STEP leaves some k out. After each data set both must have published its totals, nothing may be left over, and nothing else be touched.
"""
import os
import pathlib
import random
import shutil
import signal
import sys

import two_servers
from two_servers import Failed, Pair, Store, Tap, other

MOST_CHANGES = 2000
CHEATS = "bit2=1,proof=1,replay=1,truncated-a=1,lost-b=1"
# What a retry must heal, wherever it happens; a place is the n-th request that fits.
FAULTS = ("status=503", "status=500", "status=429", "reset", "reset-after", "swallow=500 on=changing",
          "swallow=503 on=changing", "reset-after on=changing", "truncate=0 on=GET", "truncate=100 on=GET",
          "truncate=3000 on=GET", "slow=300", "drip=100 on=GET", "status=503 on=PUT", "reset on=DELETE,POST",
          "swallow=500 on=PUT path=/state/", "reset-after on=PUT path=/state/lock", "swallow=500 on=PUT path=_SUCCESS",
          "reset-after on=DELETE,POST", "status=503 path=list-type")


class Proxied(Pair):
    """Each server behind a proxy that does what its rules say."""

    def __init__(self, build, work, store, rules, logs, salt, batches):
        super().__init__(build, work, store, salt=salt, batches=batches)
        self.sets = [self.make_data(f"set{i}", i + 1, 6 + 3 * i, CHEATS, 1000 if i else 7) for i in range(3)]
        self.rules = {role: pathlib.Path(rules[role]) for role in "AB"}
        self.logs = {role: pathlib.Path(logs[role]) for role in "AB"}

    def set_rules(self, role, lines):
        self.rules[role].write_text("".join(f"{line}\n" for line in lines))

    def faults_done(self):
        """Lines of the proxies' logs with a fault."""
        lines = [line for role in "AB" for line in self.logs[role].read_text().splitlines()]
        return [line for line in lines if not line.endswith(" -")]

    def kill_at(self, role, change):
        """Start the server, to be killed before its change-th change."""
        pid_file = self.work / f"{role}.pid"
        pid_file.unlink(missing_ok=True)
        self.set_rules(role, [f"kill={pid_file} on=changing nth={change}"])
        return self.start(role, pid_file=pid_file)

    def forget(self):
        """As if there had never been a run."""
        for role in "AB":
            for use in two_servers.USES:
                shutil.rmtree(self.place(role, use), ignore_errors=True)


def with_pair(function, pair, *arguments):
    """Whatever comes of it, nobody goes on afterwards."""
    for role in "AB":
        pair.set_rules(role, [])
    try:
        return function(pair, *arguments)
    finally:
        pair.kill_all()


def random_faults(dice):
    """Most places are early: a run has few requests of each kind."""
    rules = []
    for _ in range(dice.randint(4, 9)):
        most = dice.choice((3, 12, 50))
        rules.append(f"{dice.choice(FAULTS)} nth={dice.randint(1, most)} times={dice.choice((1, 1, 1, 2))}")
    return rules


def faulty_runs(pair, n_runs):
    dice = random.Random(two_servers.digest(f"faults {os.environ.get('WEIR_SEED', 1)}"))
    for i in range(n_runs):
        data = pair.sets[i % len(pair.sets)]
        pair.stage(data)
        pair.forget_logs()
        rules = {role: random_faults(dice) for role in "AB"}
        for role in "AB":
            pair.set_rules(role, [*rules[role], f"slow=0 path=/never{i}"])
        try:
            pair.run_both()
            pair.check(data)
        except Failed as failed:
            raise Failed(f"run {i}, A: {rules['A']}, B: {rules['B']}: {failed}") from failed
    return f"{len(pair.faults_done())} faults in {n_runs} runs"


def every_fault(pair):
    """The runs before must have met all kinds."""
    done = {line.rpartition(" ")[2] for line in pair.faults_done()}
    if missing := {fault.split()[0].partition("=")[0] for fault in FAULTS} - done:
        raise Failed(f"never happened: {missing}")


def outage(pair, role):
    """The store refuses a server for good, at each kind of request; then it is started again."""
    places = ("on=PUT path=/raw.json", "on=PUT path=/verify1/", "on=PUT path=_SUCCESS", "on=GET path=/raw/shares/",
              "on=GET path=/external/verify2/", "on=DELETE,POST", "on=PUT path=/processed/")
    for i, place in enumerate(places):
        data = pair.sets[i % len(pair.sets)]
        pair.stage(data)
        pair.forget_logs()
        pair.set_rules(role, [f"status=403 times=0 {place}"])
        pair.set_rules(other(role), [])
        pair.start(other(role))
        # A marker that it cannot look for counts as absent.
        status = pair.start(role, "--retry-limit=60").wait(two_servers.DEADLINE_S)
        if status != 1:
            raise Failed(f"{place}: exit {status}, not 1\n{pair.log_of(role)}")
        pair.set_rules(role, [])
        pair.start(role)
        for each in "AB":
            pair.finish(each)
        pair.check(data)
    return f"{len(places)} places"


def killed_at_each_change(pair, victim, step):
    """The next data set of the same date is the one that the next kill hits; now and then it is the first one."""
    change, killed = 1, True
    while killed and change < MOST_CHANGES:
        if change // step % 8 == 3:
            pair.forget()
        data = pair.sets[change // step % len(pair.sets)]
        try:
            pair.stage(data)
            pair.forget_logs()
            pair.start(other(victim))
            killed = pair.kill_at(victim, change).wait(two_servers.DEADLINE_S) == -signal.SIGKILL
            pair.set_rules(victim, [])
            if killed:
                pair.start(victim)
            for role in "AB":
                pair.finish(role)
            pair.check(data)
        except Failed as failed:
            raise Failed(f"change {change}: {failed}") from failed
        change += step
    if killed:
        raise Failed("it changes things without end")
    return f"1 of {step} kills, up to change {change - 2 * step}"


def main(build, work, root, access, secret, url, *proxies):
    tap, work = Tap(), pathlib.Path(work)
    (url_a, rules_a, log_a), (url_b, rules_b, log_b) = proxies[:3], proxies[3:]
    store = Store(pathlib.Path(root), {"A": url_a, "B": url_b, "admin": url}, access, secret)
    rules, logs = {"A": rules_a, "B": rules_b}, {"A": log_a, "B": log_b}
    tap.promise("faults at random places: the right totals all the same", with_pair, faulty_runs,
                Proxied(build, work / "faults", store, rules, logs, "-f", None),
                int(os.environ.get("WEIR_FAULT_RUNS", 25)))
    small = Proxied(build, work / "kills", store, rules, logs, "-k", {"rain": 20})
    tap.promise("the proxies did all of their faults", every_fault, small)
    for role in "AB":
        tap.promise(f"{role} is refused for good, and started again when it is over", with_pair, outage, small, role)
    for role in "AB":
        tap.promise(f"{role} is killed before each change", with_pair, killed_at_each_change, small, role,
                    int(os.environ.get("WEIR_KILL_STEP", 1)))
    tap.done()


main(*sys.argv[1:])
