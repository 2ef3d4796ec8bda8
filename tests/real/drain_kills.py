#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""drain_kills.py COMMAND BUILD ROOT WORK CONFIG SECONDS - `pulse drain` from RabbitMQ in bad times.

    harm   it is killed before one of the calls by which it changes files or talks to others, or such calls
           fail for want of room, or one does (tests/tools/fault_at.c); then it runs again
    cuts   its connections break at any byte

Workers, each with a virtual host w0, w1, .. of its own, do that for SECONDS. Every time the tables and the state
must hold what the vectors say, each thing once, and the queues must be empty. CONFIG is the beginning of a
configuration; PULSE_* say where the broker is. WEIR_SEED decides when (default 1).
"""
import concurrent.futures
import os
import pathlib
import random
import re
import socket
import struct
import subprocess
import sys
import threading
import time

import drain_check

N_WORKERS = 8
KINDS = ("completed", "failed", "exception", "defined")
HARM = ("kill", "kill", "kill", "full", "once")


class Worker:
    def __init__(self, build, root, work, config, number):
        self.build, self.root, self.vectors = build, root, pathlib.Path(root) / "tests/vectors/fxci"
        self.place = pathlib.Path(work) / f"w{number}"
        self.place.mkdir(parents=True)
        self.config, self.number = config, number
        self.dice = random.Random(f"{os.environ.get('WEIR_SEED', '1')}/{number}")
        self.n_rounds = 0
        self.write_config(config)

    def write_config(self, config):
        (self.place / "config.toml").write_text(
            config.replace("[pulse]", f'[pulse]\nvhost = "w{self.number}"'), encoding="utf-8")

    def options(self):
        return "--warehouse", f"duckdb://{self.place}/{self.n_rounds}.duckdb", "--store", f"{self.place}/{self.n_rounds}"

    def pulse(self, *words):
        environment = dict(os.environ, PULSE_VHOST=f"w{self.number}")
        return subprocess.run([f"{self.build}/pulse-tool", *words], env=environment, check=True, timeout=60,
                              stdout=subprocess.PIPE, encoding="utf-8").stdout

    def drain(self, environment=None):
        log = self.place / "log"
        words = [f"{self.build}/fxci-etl", "pulse", "drain", "--config", f"{self.place}/config.toml",
                 "--now", drain_check.NOW, *self.options()]
        with log.open("wb") as out:
            status = subprocess.run(words, env=dict(os.environ, **(environment or {})), check=False, timeout=120,
                                    stdout=out, stderr=out).returncode
        return status, log.read_text(encoding="utf-8")

    def hurt(self, how, at):
        count = self.place / "count"
        status, said = self.drain({"LD_PRELOAD": f"{self.build}/tests/tools/libfault-at.so", "FAULT": how,
                                   "FAULT_AT": str(at), "FAULT_COUNT": str(count)})
        return status, said, int(count.read_text("ascii")) if status in (0, 1) else 0

    def verify(self, said):
        drain_check.counts(self.place / "log")
        drain_check.vectors_hold(self.build, self.root, *self.options())
        for line in self.pulse("count", *(f"queue/fxci-etl/task-{kind}" for kind in KINDS)).splitlines():
            assert line.split()[1] == "0", (line, said)

    def begin(self):
        self.n_rounds += 1
        self.pulse("publish", str(self.vectors / "messages-small.ndjson"))

    def prepare(self):
        """Make the queues, and count the calls of a run without harm."""
        status, said = self.drain()
        assert status == 0, said
        self.begin()
        status, said, n = self.hurt("kill", 0)
        assert status == 0, said
        self.verify(said)
        return n

    def one_harm(self, how, at):
        self.begin()
        status, said, _ = self.hurt(how, at)
        what = f"w{self.number} round {self.n_rounds}: {how} at call {at}: status {status}"
        try:
            assert status in ((-9, 0) if how == "kill" else (0, 1)), said
            if status == 0:
                self.verify(said)
            again, said = self.drain()
            assert again == 0, said
            self.verify(said)
        except (AssertionError, SystemExit) as error:
            raise AssertionError(f"{what}: {error}") from error

    def harm(self, until):
        n_calls, n = self.prepare(), 0
        while time.monotonic() < until:
            how = HARM[(n + self.number) % len(HARM)]
            # Each worker has its share of the calls, one after another from a place of its own.
            self.one_harm(how, 1 + (self.dice.randrange(n_calls) if n % 2 else
                                    (self.number * n_calls // N_WORKERS + n * 7) % n_calls))
            n += 1
        return n, n_calls

    def cuts(self, until):
        n = n_again = 0
        self.prepare()
        port = int(re.search(r"^port = (\d+)$", self.config, re.M)[1])
        proxy = Proxy(port)
        self.write_config(re.sub(r"(?m)^port = \d+$", f"port = {proxy.port}", self.config))
        while time.monotonic() < until:
            self.begin()
            proxy.cut_after = [self.dice.choice((self.dice.randrange(6000), self.dice.randrange(60000)))
                               for _ in range(self.dice.choice((1, 2)))]
            shown = list(proxy.cut_after)
            status, said = self.drain()
            try:
                if status != 0:
                    # Only what was refused before it began may fail: an error that names the connection.
                    n_again += 1
                    again, said = self.drain()
                    assert again == 0, said
                self.verify(said) if status == 0 else drain_check.vectors_hold(self.build, self.root, *self.options())
            except (AssertionError, SystemExit) as error:
                raise AssertionError(f"w{self.number} round {self.n_rounds}: cut after {shown}: {error}") from error
            n += 1
        return n, n_again


class Proxy:
    """Bytes both ways; each of the first connections breaks after so many of them."""
    def __init__(self, upstream):
        self.upstream, self.cut_after = upstream, []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            client, _ = self.listener.accept()
            server = socket.create_connection(("127.0.0.1", self.upstream))
            left = [self.cut_after.pop(0) if self.cut_after else None]
            for a, b in ((client, server), (server, client)):
                threading.Thread(target=self.pump, args=(a, b, left), daemon=True).start()

    @staticmethod
    def pump(source, sink, left):
        try:
            while piece := source.recv(4096):
                if left[0] is not None:
                    piece, left[0] = piece[:left[0]], left[0] - len(piece)
                sink.sendall(piece)
                if left[0] is not None and left[0] <= 0:
                    for each in (source, sink):
                        each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    break
        except OSError:
            pass
        for each in (source, sink):
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            each.close()


def main(command, build, root, work, config, seconds):
    text = pathlib.Path(config).read_text(encoding="utf-8")
    until = time.monotonic() + float(seconds)
    workers = [Worker(build, root, f"{work}/{command}", text, i) for i in range(N_WORKERS)]
    with concurrent.futures.ThreadPoolExecutor(N_WORKERS) as pool:
        done = list(pool.map(lambda worker: getattr(worker, command)(until), workers))
    print(f"{sum(n for n, _ in done)} rounds, {[n for _, n in done]}")


main(*sys.argv[1:])
