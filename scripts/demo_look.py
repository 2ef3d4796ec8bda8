# SPDX-License-Identifier: MPL-2.0
"""What the reports of the demo have in common: the look that demo-look found out, the files of a part (the first
argument of each report), the comparison with the truth."""
import json
import os
import pathlib
import sys

WORK = pathlib.Path(sys.argv[1])
LOOK = os.environ.get("DEMO_LOOK", "0 80 |||||").split(" ", 2)
UTF8, COLUMNS = LOOK[0] == "1", int(LOOK[1])
BOLD, DIM, RED, GREEN, BLUE, PLAIN = LOOK[2].split("|")
NOTHING = "·" if UTF8 else "."


def logged(name, message):
    """The fields of a line that a step logged as JSON."""
    for line in (WORK / "log" / f"{name}.err").read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        if record.get("message") == message:
            yield record


def comma(n):
    return f"{n:,}"


def cell(n, width=8):
    return f"{comma(n):>{width}}" if n > 0 else f"{' ' * (width - 1)}{DIM}{NOTHING}{PLAIN}"


class Check:
    """Differences between the truth and what was found."""

    def __init__(self):
        self.n_different = 0

    def same(self, what, must, is_):
        if must != is_:
            self.n_different += 1
            if self.n_different <= 20:
                print(f"{RED}{what}: must be {self.short(must)}, is {self.short(is_)}{PLAIN}")

    @staticmethod
    def short(value):
        text = json.dumps(value)
        return text if len(text) < 200 else text[:197] + "..."
