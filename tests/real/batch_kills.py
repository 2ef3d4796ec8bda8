#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""batch_kills BUILD URL - a batch that is killed (SIGKILL) at each of its calls, before and after the call
took effect, and done again by another process, with or without the staging tables: its rows are there once.
URL: of the contract server."""
import json
import subprocess
import sys
import time
import urllib.request

build, url = sys.argv[1:]
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def ask(world, what, post=False):
    return json.load(opener.open(urllib.request.Request(f"{url}/{world}/{what}", b"" if post else None)))


def start(world):
    return subprocess.Popen([f"{build}/tests/real/batch_steps", "once", "bigquery://a-project/main",
                             f"{url}/{world}"], stdout=subprocess.PIPE)


def killed_at(world, number, before):
    """Returns False where the batch ended before that call."""
    ask(world, f"stop?at={number}&before={before}", post=True)
    program = start(world)
    while program.poll() is None and not ask(world, "stopped")["hanging"]:
        time.sleep(0.01)
    reached = program.poll() is None
    program.kill()
    program.communicate()
    ask(world, "go", post=True)
    return reached


n = 0
for when, before, expire in (("before", 1, False), ("after", 0, False), ("after, and expired", 0, True)):
    for number in range(1, 200):
        world = f"stopped-{number}-{before}-{expire}"
        reached = killed_at(world, number, before)
        if expire:  # hours pass until somebody does it again
            ask(world, "expire", post=True)
        said = start(world).communicate()[0].decode().strip()
        if said != "ok":
            sys.exit(f"killed at call {number}, {when} it took effect: {said}")
        if not reached:
            break
        n += 1
if n < 60:
    sys.exit(f"only {n} kills")
print(f"{n} kills")
