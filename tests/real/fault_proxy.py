#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""fault_proxy.py PORT UPSTREAM_PORT RULES LOG - a loopback proxy for HTTP that does harm on demand.

Requests go to 127.0.0.1:UPSTREAM_PORT unchanged, Host included, so that signatures hold. RULES is a
file of one rule a line, read again whenever it changes, which also starts all counting afresh:

    FAULT[=VALUE] [on=METHODS] [path=SUBSTRING] [nth=K] [times=N]

A rule counts the requests that fit (on: "GET,PUT", "changing" for PUT, POST and DELETE, or "any",
the default; path: in the path and query) and acts on the K-th (default 1) and the N-1 behind it (default 1;
0: all of them). The first rule that acts wins. FAULT is one of

    status=CODE     answer CODE when the request's body is read; nothing reaches the server
    swallow=CODE    the server does it, but the client is told CODE
    reset           break the connection when the request is read; nothing reaches the server
    reset-after     the server does it, then the connection breaks without an answer
    truncate=BYTES  break the connection behind so many bytes of the answer's body
    slow=MS         wait so long before the server is asked
    drip=MS         wait so long before every 64 KiB of the answer's body
    kill=FILE       SIGKILL the process whose id FILE holds, then as reset

LOG gets a line "METHOD TARGET STATUS FAULT" a request, when it is over ("-" for none).
"""
import http.client
import http.server
import os
import pathlib
import signal
import socket
import struct
import sys
import threading
import time

CHANGING = ("PUT", "POST", "DELETE")
PIECE = 64 * 1024
HOP = ("connection", "keep-alive", "transfer-encoding")


class Rule:
    def __init__(self, line):
        fault, *options = line.split()
        self.fault, _, self.value = fault.partition("=")
        given = dict(option.split("=", 1) for option in options)
        on = given.get("on", "any")
        self.methods = {"any": None, "changing": CHANGING}.get(on, tuple(on.split(",")))
        self.path = given.get("path", "")
        self.nth = int(given.get("nth", 1))
        self.times = int(given.get("times", 1))
        self.seen = 0

    def acts(self, method, target):
        if (self.methods and method not in self.methods) or self.path not in target:
            return False
        self.seen += 1
        return self.seen >= self.nth and (self.times == 0 or self.seen < self.nth + self.times)


class Rules:
    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.text, self.rules, self.lock = None, [], threading.Lock()

    def fault(self, method, target):
        """(fault, value) for this request, ("", "") for none."""
        with self.lock:
            try:
                text = self.path.read_text(encoding="utf-8")
            except FileNotFoundError:
                text = ""
            if text != self.text:
                self.text = text
                self.rules = [Rule(line) for line in text.splitlines() if line.strip()]
            # Every rule counts, also those behind the one that acts.
            acting = [rule for rule in self.rules if rule.acts(method, target)]
            return (acting[0].fault, acting[0].value) if acting else ("", "")


class Proxy(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # heads and bodies go out singly; together with delayed ACKs that is 40 ms
    upstream_port, rules, log = 0, None, None

    def log_message(self, *_):
        pass

    def note(self, status, fault):
        # One write of a short line: lines of several threads do not mix.
        self.log.write(f"{self.command} {self.path} {status} {fault or '-'}\n")
        self.log.flush()

    def reset(self):
        """RST instead of FIN."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.wfile = open(os.devnull, "wb")
        self.connection.close()
        self.rfile.close()

    def answer(self, status):
        body = (f"<?xml version='1.0'?><Error><Code>FaultProxy</Code>"
                f"<Message>status {status} on demand</Message></Error>").encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def ask_server(self, body):
        server = http.client.HTTPConnection("127.0.0.1", self.upstream_port, timeout=120)
        server.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            if name.lower() not in HOP:
                server.putheader(name, value)
        server.endheaders(body)
        return server, server.getresponse()

    def pass_on(self, response, fault, value):
        """The answer, harmed or not. @return whether the connection holds."""
        length = response.headers["Content-Length"]
        self.send_response_only(response.status, response.reason)
        for name, text in response.headers.items():
            if name.lower() not in HOP:
                self.send_header(name, text)
        if length is None and self.command != "HEAD" and response.status not in (204, 304):
            self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        left = int(value) if fault == "truncate" else None
        while piece := response.read(PIECE):
            if fault == "drip":
                time.sleep(int(value) / 1000)
            if left is not None:
                piece = piece[:left]
                left -= len(piece)
            self.wfile.write(piece if length else b"%x\r\n%s\r\n" % (len(piece), piece))
            if left == 0:
                self.wfile.flush()
                time.sleep(0.2)  # what was sent must arrive before the reset
                return False
        if length is None and self.command != "HEAD" and response.status not in (204, 304):
            self.wfile.write(b"0\r\n\r\n")
        return True

    def handle_request(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        fault, value = self.rules.fault(self.command, self.path)
        if fault == "kill":
            try:
                os.kill(int(pathlib.Path(value).read_text(encoding="ascii")), signal.SIGKILL)
            except (OSError, ValueError) as error:
                print(f"kill {value}: {error}", file=sys.stderr, flush=True)
        if fault in ("kill", "reset"):
            self.note(0, fault)
            self.reset()
            return
        if fault == "status":
            self.note(value, fault)
            self.answer(int(value))
            return
        if fault == "slow":
            time.sleep(int(value) / 1000)
        server, response = self.ask_server(body)
        self.note(response.status, fault)
        if fault == "swallow":
            response.read()
            self.answer(int(value))
        elif fault == "reset-after" or not self.pass_on(response, fault, value):
            self.reset()
        server.close()

    def handle_fault_free(self):
        try:
            self.handle_request()
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True  # the client has gone
        except OSError as error:
            print(f"{self.command} {self.path}: {error}", file=sys.stderr, flush=True)
            self.reset()

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = do_PATCH = handle_fault_free


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], (ConnectionError, ValueError)):
            super().handle_error(request, client_address)


def main(port, upstream_port, rules, log):
    Proxy.upstream_port, Proxy.rules = int(upstream_port), Rules(rules)
    with open(log, "a", encoding="utf-8") as Proxy.log:
        Server(("127.0.0.1", int(port)), Proxy).serve_forever()


main(*sys.argv[1:])
