# SPDX-License-Identifier: MPL-2.0
"""two_servers.py - servers A and B as processes, for tests that hurt them.

A Pair has keys, data sets with cheaters in them, and buckets: below a folder, or on an S3 server that keeps
its objects as files of a folder, so that both can be looked at in the same way. Data that are none of
this run's business lie beside it; they must stay as they are.
"""
import dataclasses
import hashlib
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time
import traceback

DATE = "2026-03-14"
APP = "app"
PREFIX = "data/v1"
USES = ("ingest", "private", "shared")
BATCHES = {"rain": 20, "sun-0": 7}
ABSENT = {"gone": 3}  # configured, but never with data
DEADLINE_S = 90
PUBLISHED = re.compile(r'"payload":\[([0-9,]*)\],"error":(\d+),"total":(\d+)}')


class Failed(Exception):
    """What did not hold, with all that helps to see why."""


def other(role):
    return "B" if role == "A" else "A"


@dataclasses.dataclass
class DataSet:
    folder: pathlib.Path  # as staging leaves it
    expected: dict  # batch -> "numbers error total"


@dataclasses.dataclass
class Store:
    """Where buckets are. s3: role -> endpoint that it is told; root: the folder of the objects."""
    root: pathlib.Path
    s3: dict = None
    access: str = ""
    secret: str = ""

    def settings(self, role):
        if not self.s3:
            return {"WEIR_STORE": str(self.root)}
        sides = {}
        for side in ("INTERNAL", "EXTERNAL"):
            sides |= {f"BUCKET_{side}_ENDPOINT": self.s3[role], f"BUCKET_{side}_ACCESS_KEY": self.access,
                      f"BUCKET_{side}_SECRET_KEY": self.secret}
        return sides


class Pair:
    def __init__(self, build, work, store, one_bucket=False, salt="", batches=None):
        self.build, self.work, self.store = pathlib.Path(build), pathlib.Path(work), store
        self.bucket = {role + use: f"one{salt}" if one_bucket else f"{role.lower()}-{use}{salt}"
                       for role in "AB" for use in USES}
        self.batches = batches or BATCHES
        self.work.mkdir(parents=True)
        for bucket in set(self.bucket.values()):
            (store.root / bucket).mkdir(parents=True)
        self.keys = {role: json.loads(self.tool("prio", "keygen")) for role in "AB"}
        self.secret = json.loads(self.tool("prio", "shared-seed"))["shared_seed"]
        self.config = self.work / "config.json"
        self.config.write_text(json.dumps([{"batch_id": b, "n_data": n}
                                           for b, n in (self.batches | ABSENT).items()]))
        self.running = {}
        self.canaries = self.plant()

    def tool(self, program, *arguments, env=None):
        done = subprocess.run([self.build / program, *map(str, arguments)], env={**os.environ, **(env or {})},
                              stdin=subprocess.DEVNULL, capture_output=True, check=False, text=True)
        if done.returncode != 0:
            raise Failed(f"{program} {arguments[0]}: exit {done.returncode}: {done.stderr[-500:]}")
        return done.stdout

    def public_keys(self, role):
        return {"PUBLIC_KEY_HEX_INTERNAL": self.keys[role]["public_key"],
                "PUBLIC_KEY_HEX_EXTERNAL": self.keys[other(role)]["public_key"]}

    def own(self, role):
        return f"{PREFIX}/{self.keys[other(role)]['public_key']}/{APP}/{DATE}"

    def place(self, role, use):
        return self.store.root / self.bucket[role + use] / self.own(role)

    # Data that are none of this run's.

    def plant(self):
        planted = {}
        for role in "AB":
            key = self.keys[other(role)]["public_key"]
            for path in (f"{key}/{APP}/2026-03-13", f"{key}/{APP}/{DATE}0", f"{key}/other/{DATE}",
                         f"{'0' * 64}/{APP}/{DATE}", f"{key}/{APP}0/{DATE}"):
                for use, names in (("ingest", ("raw/shares/_SUCCESS", "raw/shares/batch_id=rain/part-0.json")),
                                   ("private", ("state/run.json", "processed/publish/_SUCCESS",
                                                "intermediate/internal/verify1/batch_id=rain/part-0.json")),
                                   ("shared", ("intermediate/external/verify1/_SUCCESS",
                                               "intermediate/external/verify2/batch_id=rain/part-0.json"))):
                    for name in names:
                        file = self.store.root / self.bucket[role + use] / PREFIX / path / name
                        file.parent.mkdir(parents=True, exist_ok=True)
                        file.write_text(f"of {path}, {name}\n")
                        planted[file] = file.read_bytes()
        return planted

    # Data sets and their way into the ingest buckets.

    def make_data(self, name, seed, clients, cheats, lines):
        folder, expected = self.work / name, {}
        for batch, n_data in self.batches.items():
            made = folder / "made"
            self.tool("prio-cheat", "shares", "--n-data", n_data, "--batch-id", batch, "--clients", clients,
                      "--seed", seed, "--cheats", cheats, "--output-A", made / "A", "--output-B", made / "B",
                      "--truth", made / "truth", env=self.public_keys("A"))
            truth = (made / "truth").read_text()
            numbers = re.search(r"^totals \[(.*)\]$", truth, re.MULTILINE)[1].replace(" ", "")
            wrong = re.search(r"^reject aggregate A invalid (\d+)$", truth, re.MULTILINE)
            wrong = int(wrong[1]) if wrong else 0
            expected[batch] = f"{numbers} {wrong} {clients + wrong}"
            for role in "AB":
                into = folder / f"submission_date={DATE}" / f"server_id={role.lower()}" / f"batch_id={batch}"
                into.mkdir(parents=True)
                rows = (made / role / "data.ndjson").read_bytes().splitlines(keepends=True)
                for i in range(0, len(rows), lines):
                    (into / f"part-{i // lines:05}-{name}.c000.json").write_bytes(b"".join(rows[i:i + lines]))
            shutil.rmtree(made)
        (folder / "_SUCCESS").touch()
        return DataSet(folder, expected)

    def stage(self, data):
        """As the admin does it, who has no fault proxy in the way."""
        buckets = {"BUCKET_INTERNAL_INGEST": self.bucket["Aingest"],
                   "BUCKET_EXTERNAL_INGEST": self.bucket["Bingest"]}
        self.tool("prio-processor", "transfer", "--input", data.folder, "--date", DATE, "--app-name", APP,
                  "--bucket-prefix", PREFIX,
                  env={**self.store.settings("admin"), **self.public_keys("A"), **buckets})

    # The servers.

    def environment(self, role):
        return {"PATH": os.environ["PATH"], "HOME": str(self.work), "no_proxy": "*",
                "APP_NAME": APP, "SUBMISSION_DATE": DATE, "BUCKET_PREFIX": PREFIX,
                "DATA_CONFIG": str(self.config), "SERVER_ID": role, "SHARED_SECRET": self.secret,
                "PRIVATE_KEY_HEX": self.keys[role]["private_key"],
                "BUCKET_INTERNAL_INGEST": self.bucket[role + "ingest"],
                "BUCKET_INTERNAL_PRIVATE": self.bucket[role + "private"],
                "BUCKET_INTERNAL_SHARED": self.bucket[role + "shared"],
                "BUCKET_EXTERNAL_SHARED": self.bucket[other(role) + "shared"],
                "RETRY_LIMIT": "3000", "RETRY_DELAY": "0.02", "RETRY_BACKOFF_EXPONENT": "1",
                "WEIR_WORKERS": "1", **self.public_keys(role), **self.store.settings(role)}

    def start(self, role, *options, pid_file=None):
        """pid_file holds its id before its first request."""
        command = [self.build / "prio-processor", "process", "--no-progress", *options]
        if pid_file:
            command = ["sh", "-c", 'echo $$ >"$0" && exec "$@"', pid_file, *command]
        with open(self.work / f"{role}.log", "ab") as log:
            log.write(b"--- start\n")
            log.flush()
            self.running[role] = subprocess.Popen(
                command, env=self.environment(role), stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        return self.running[role]

    def kill(self, role):
        """@return whether there was something to kill."""
        process = self.running[role]
        if process.poll() is not None:
            return False
        process.kill()
        return process.wait() == -signal.SIGKILL

    def kill_all(self):
        for process in self.running.values():
            process.kill()
            process.wait()

    def forget_logs(self):
        for role in "AB":
            (self.work / f"{role}.log").write_bytes(b"")

    def log_of(self, role, lines=25):
        text = (self.work / f"{role}.log").read_text(errors="replace").splitlines()
        text = [line for line in text if " waiting " not in line]
        return "\n".join(f"  {role}: {line[:400]}" for line in text[-lines:])

    def finish(self, role):
        """Wait for its end, which must be a good one."""
        try:
            status = self.running[role].wait(DEADLINE_S)
        except subprocess.TimeoutExpired:
            status = "none"
        if status != 0:
            raise Failed(f"server {role} ends with {status}\n{self.log_of('A')}\n{self.log_of('B')}")

    def run_both(self, *options):
        for role in "AB":
            self.start(role, *options)
        for role in "AB":
            self.finish(role)

    # What must hold afterwards.

    def published(self, role):
        found = {}
        for folder in (self.place(role, "private") / "processed/publish").glob("batch_id=*"):
            texts = [p.read_text() for p in sorted(folder.iterdir()) if not p.name.startswith(("_", "."))]
            numbers = [" ".join(m.groups()) for text in texts if (m := PUBLISHED.search(text))]
            found[folder.name.removeprefix("batch_id=")] = numbers[0] if len(numbers) == 1 else texts
        return found

    def objects(self):
        """Every file of the buckets, but for the S3 server's own."""
        return [p for p in self.store.root.rglob("*") if p.is_file() and ".sgwtmp" not in p.parts
                and p.relative_to(self.store.root).parts[0] in self.bucket.values()]

    def left_over(self, kept):
        """What is neither a result nor planted; with kept, what is none of a run's objects either."""
        fine = {self.place(role, "private") / "state" / name for role in "AB" for name in ("run.json", "lock")}
        kept_too = re.compile(
            r"(raw/shares/(batch_id=[^/]+/part-[^/]+\.c000\.json|_SUCCESS)"
            r"|intermediate/(internal|external)/(verify1|verify2|aggregate)/"
            r"(_SUCCESS|batch_id=[^/]+/(_SUCCESS|part-\d{5}-[0-9a-f-]{36}-c000\.json))"
            r"|state/[a-z0-9-]+\.json|state/verify1/batch_id=[^/]+/part-\d{5}\.(json|trace))")
        left = []
        for path in self.objects():
            if path in fine or path in self.canaries:
                continue
            inside = str(path).partition(f"/{APP}/{DATE}/")[2]
            if inside.startswith("processed/publish/") or (kept and kept_too.fullmatch(inside)):
                continue
            left.append(str(path.relative_to(self.store.root)))
        return left

    def check(self, data, kept=False):
        for role in "AB":
            found = self.published(role)
            if found != data.expected:
                raise Failed(f"server {role} published {found}, not {data.expected}\n{self.log_of(role)}")
        if left := self.left_over(kept):
            raise Failed(f"left over: {left[:10]}\n{self.log_of('A')}\n{self.log_of('B')}")
        for path, text in self.canaries.items():
            if not path.exists() or path.read_bytes() != text:
                raise Failed(f"{path} was touched")


class Tap:
    """Promises with names, as tap.sh has them."""

    def __init__(self):
        self.n = self.n_failed = 0

    def promise(self, name, function, *arguments):
        self.n += 1
        began = time.monotonic()
        try:
            note = function(*arguments)
            print(f"ok {self.n} - {name}", flush=True)
            print(f"# {note or 'done'}, {time.monotonic() - began:.0f} s", flush=True)
        except Exception as error:  # pylint: disable=broad-except
            self.n_failed += 1
            text = str(error) if isinstance(error, Failed) else traceback.format_exc()
            print("".join(f"# {line}\n" for line in text.splitlines()), end="")
            print(f"not ok {self.n} - {name}", flush=True)

    def done(self):
        print(f"1..{self.n}")
        sys.exit(self.n_failed > 0)


def digest(text):
    """A seed of its own for each test, the same in every run."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
