#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""bigtable_contract PORT CERTIFICATES TOKEN_PORT - Bigtable over TLS, as strict and as moody as the real one.

The emulator asks for no token, has no moods, and speaks without TLS. This server refuses what Bigtable or gRPC
would refuse (method, te, content-type, grpc-timeout, routing header, token, order of fields, versions of a row), and plays
the words that the project's name is made of:

  flaky        entries answer UNAVAILABLE, then ABORTED, then OK; one that was written may not come again
  denied       entries whose key ends in 7 answer PERMISSION_DENIED
  never        every entry answers UNAVAILABLE
  omits        the answer of the first MutateRows leaves out every other entry
  forbidden    MutateRows is refused as a whole, in an answer of trailers only, percent-encoded
  cutread      ReadRows cuts the connection within a row, three times, each time a little later
  cutwrite     the connection is cut behind half of the answer of the first MutateRows
  resets       ReadRows takes rows back and sends them again; cells come in chunks; last_scanned_row_key
  pieces       DATA frames of 1 to 7 bytes
  compressed   the answer says that it is compressed
  http503      the first call of each method is answered by a proxy: HTTP status 503
  silent       no answer at all
  truncated    the answer ends within a message, with the status OK
  bare         the answer has no grpc-status
  expires      the first token dies after three calls, as UNAUTHENTICATED
  expires401   the same as HTTP status 401
  race         the table is made by another between GetTable and CreateTable

Tokens: POST http://127.0.0.1:TOKEN_PORT/PROJECT gives token-PROJECT-N; /wrong gives one that nobody takes.
"""
import http.server
import json
import re
import socket
import ssl
import sys
import threading
import urllib.parse

import h2.config
import h2.connection
import h2.events

OK, INVALID, NOT_FOUND, EXISTS, DENIED, ABORTED, UNAVAILABLE, UNAUTHENTICATED = 0, 3, 5, 6, 7, 10, 14, 16
DATA, ADMIN = "/google.bigtable.v2.Bigtable/", "/google.bigtable.admin.v2.BigtableTableAdmin/"
GC_RULE = bytes.fromhex("220d0a0712050880ceda030a020801")
LOCK = threading.Lock()
WORLDS = {}


class Refusal(Exception):
    def __init__(self, code, message):
        super().__init__(message)
        self.code, self.message = code, message


class Cut(Exception):
    """The connection ends here."""


class World:
    def __init__(self, project):
        self.words = set(project.split("-"))
        self.tables, self.tries, self.calls, self.tokens = {}, {}, {}, 0
        self.calls_with_token = 0

    def has(self, word):
        return word in self.words

    def first(self, what):
        self.calls[what] = self.calls.get(what, 0) + 1
        return self.calls[what] == 1


def world_of(project):
    return WORLDS.setdefault(project, World(project))


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at


def parse(data):
    """A protobuf message: field -> list of ints and bytes. Fields must come in order, as protoc writes them."""
    fields, at, last = {}, 0, 0
    while at < len(data):
        key, at = varint(data, at)
        if key >> 3 < last:
            raise Refusal(INVALID, "fields are out of order")
        last = key >> 3
        if key & 7 == 0:
            value, at = varint(data, at)
        elif key & 7 == 2:
            length, at = varint(data, at)
            value, at = data[at:at + length], at + length
            if len(value) != length:
                raise Refusal(INVALID, "a field is longer than its message")
        else:
            raise Refusal(INVALID, "a wire type that no field here has")
        fields.setdefault(key >> 3, []).append(value)
    return fields


def number(value):
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def field(tag, value):
    """A field with an int or bytes; nothing where it has the default."""
    if isinstance(value, int):
        return number(tag << 3) + number(value) if value else b""
    return number(tag << 3 | 2) + number(len(value)) + value


def frame(message, flag=0):
    return bytes([flag]) + len(message).to_bytes(4, "big") + message


def one(fields, tag, default=None):
    values = fields.get(tag, [default])
    if len(values) != 1 or values[0] is None:
        raise Refusal(INVALID, f"field {tag} is wanted once")
    return values[0]


def get_table(world, request):
    fields = parse(request)
    name = one(fields, 1).decode()
    if one(fields, 2) != 1:
        raise Refusal(INVALID, "only NAME_ONLY is cheap")
    if name not in world.tables:
        raise Refusal(NOT_FOUND, f"Table not found: {name}")
    yield frame(field(1, name.encode()))


def create_table(world, request):
    fields = parse(request)
    name = f"{one(fields, 1).decode()}/tables/{one(fields, 2).decode()}"
    family = parse(one(parse(one(fields, 3)), 3))
    if one(family, 1) != b"profile" or one(parse(one(family, 2)), 1) != GC_RULE:
        raise Refusal(INVALID, "the family or its garbage collection is another")
    if name in world.tables or world.has("race"):
        world.tables.setdefault(name, {})
        raise Refusal(EXISTS, f"Table already exists: {name}")
    world.tables[name] = {}
    yield frame(field(1, name.encode()))


def table_of(world, fields):
    name = one(fields, 1).decode()
    if name not in world.tables:
        raise Refusal(NOT_FOUND, f"Table not found: {name}")
    return world.tables[name]


def mutate(world, table, entry):
    """One row. -> code and message."""
    fields = parse(entry)
    key, mutation = one(fields, 1), parse(one(fields, 2))
    tries = world.tries[key] = world.tries.get(key, 0) + 1
    if world.has("never"):
        return UNAVAILABLE, "come again"
    if world.has("denied") and key.endswith(b"7"):
        return DENIED, "not this row"
    if world.has("flaky") and key in table and 1 in mutation:
        return INVALID, "this row was written already"
    if world.has("flaky") and tries <= key[-1] % 3:
        return (UNAVAILABLE, ABORTED)[tries - 1], "come again"
    if 4 in mutation:
        table.pop(key, None)
        return OK, ""
    cell = parse(one(mutation, 1))
    if one(cell, 1) != b"profile" or one(cell, 2) != b"payload" or one(cell, 3) % 1000:
        return INVALID, "not a profile's cell"
    newest = table.get(key, (0, b""))
    if one(cell, 3) >= newest[0]:
        table[key] = (one(cell, 3), one(cell, 4, b""))
    return OK, ""


def mutate_rows(world, request):
    if world.has("forbidden"):
        raise Refusal(DENIED, "Access denied: 100 % sûr")
    fields = parse(request)
    table, entries = table_of(world, fields), fields.get(2, [])
    if not 0 < len(entries) <= 1000 or len(request) > 16 << 20:
        raise Refusal(INVALID, "a batch of another size")
    keys = [one(parse(entry), 1) for entry in entries]
    if len(set(keys)) != len(keys):
        raise Refusal(INVALID, "a row comes twice in a batch, where there is no order")
    omits, cuts = world.has("omits") and world.first("omits"), world.has("cutwrite") and world.first("cutwrite")
    results = []
    for index, entry in enumerate(entries):
        code, message = mutate(world, table, entry)
        if not (omits and index % 2):
            results.append(field(1, field(1, index) + field(2, field(1, code) + field(2, message.encode()))))
    half = len(results) // 2
    yield frame(b"".join(results[half:]), 1 if world.has("compressed") else 0)
    if cuts:
        raise Cut
    if world.has("truncated"):
        yield frame(b"".join(results[:half]))[:-1]
    elif half:
        yield frame(b"".join(results[:half]))


def chunk(key=b"", first=False, time=0, value=b"", size=0, status=b""):
    names = field(2, field(1, b"profile")) + field(3, field(1, b"payload")) if first else b""
    return field(1, field(1, key) + names + field(4, time) + field(6, value) + field(7, size) + status)


RESET, COMMIT = field(8, 1), field(9, 1)


def moody_row(key, time, value):
    """Begun, taken back, sent again in three chunks of three messages."""
    yield chunk(key, True, time, b"not this", 100)
    yield chunk(status=RESET)
    third = len(value) // 3
    yield chunk(key, True, time, value[:third], len(value))
    yield chunk(value=value[third:2 * third], size=len(value))
    yield chunk(value=value[2 * third:], status=COMMIT)


def wanted_keys(table, fields):
    rows = parse(fields.get(2, [b""])[0])
    if 1 in rows:
        return [key for key in rows[1] if key in table]
    behind = one(parse(one(rows, 2)), 2) if 2 in rows else b""
    return sorted(key for key in table if key > behind)


def check_filter(fields):
    filters = [parse(f) for f in parse(one(parse(one(fields, 3)), 1)).get(1, [])]
    if [sorted(f.items()) for f in filters] != [[(5, [b"profile"])], [(6, [b"payload"])], [(12, [1])]]:
        raise Refusal(INVALID, "the newest cell of the one column was not what was asked for")


def read_rows(world, request):
    fields = parse(request)
    check_filter(fields)
    keys = wanted_keys(table_of(world, fields), fields)[:one(fields, 4)]
    table = table_of(world, fields)
    cuts = world.calls.get("cut", 0)
    cut_at = 5 + cuts if world.has("cutread") and cuts < 3 and len(keys) > 10 else None
    for n, key in enumerate(keys):
        time, value = table[key]
        if n == cut_at:
            world.first("cut")
            yield frame(chunk(key, True, time, value[:10], len(value)))
            raise Cut
        if world.has("resets"):
            for part in moody_row(key, time, value):
                yield frame(part)
            if n % 4 == 0:
                yield frame(field(2, key + b"\0"))
        else:
            yield frame(chunk(key, True, time, value, status=COMMIT))


METHODS = {
    ADMIN + "GetTable": (get_table, "name", 1),
    ADMIN + "CreateTable": (create_table, "parent", 1),
    DATA + "MutateRows": (mutate_rows, "table_name", 1),
    DATA + "ReadRows": (read_rows, "table_name", 1),
}


def project_of(resource):
    match = re.fullmatch(r"projects/([^/]+)/instances/[^/]+(/tables/[^/]+)?", resource)
    if not match:
        raise Refusal(INVALID, f"no such name: {resource}")
    return match[1]


def check_head(headers):
    if headers.get(":method") != "POST" or headers.get(":scheme") != "https":
        raise Refusal(INVALID, "not a POST over TLS")
    if headers.get("content-type") != "application/grpc" or headers.get("te") != "trailers":
        raise Refusal(INVALID, "content-type or te is another")
    if not re.fullmatch(r"[1-9][0-9]{0,7}[HMSmun]", headers.get("grpc-timeout", "")):
        raise Refusal(INVALID, f"grpc-timeout is {headers.get('grpc-timeout')}")
    for name in ("expect", "transfer-encoding", "connection"):
        if name in headers:
            raise Refusal(INVALID, f"{name} has no place here")


def check_token(world, project, headers):
    world.calls_with_token += 1
    alive = 1
    if world.has("expires") or world.has("expires401"):
        alive = 1 if world.calls_with_token <= 3 else 2
    match = re.fullmatch(rf"Bearer token-{project}-([0-9]+)", headers.get("authorization", ""))
    if not match or int(match[1]) < alive:
        raise Refusal(401 if world.has("expires401") else UNAUTHENTICATED,
                      "Request had invalid authentication credentials.")


def serve(headers, body):
    """-> world and an iterator of frames."""
    check_head(headers)
    method, parameter, tag = METHODS.get(headers[":path"]) or (None, None, None)
    if not method:
        raise Refusal(12, "no such method")
    if len(body) < 5 or body[0] or int.from_bytes(body[1:5], "big") != len(body) - 5:
        raise Refusal(INVALID, "the request is not one message")
    resource = one(parse(body[5:]), tag).decode()
    wanted = f"{parameter}={urllib.parse.quote(resource, safe='')}"
    if headers.get("x-goog-request-params") != wanted:
        raise Refusal(INVALID, f"the routing header is not {wanted}")
    project = project_of(resource)
    world = world_of(project)
    check_token(world, project, headers)
    if world.has("http503") and world.first(headers[":path"]):
        raise Refusal(503, "")
    return world, method(world, body[5:])


class Connection:
    def __init__(self, raw):
        self.socket = raw
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding="utf-8"))
        self.streams = {}

    def flush(self):
        self.socket.sendall(self.h2.data_to_send())

    def send(self, stream, data, step):
        for at in range(0, len(data), step):
            while self.h2.local_flow_control_window(stream) < step:
                self.receive()
            self.h2.send_data(stream, data[at:at + step])
        self.flush()

    def fail(self, stream, refusal):
        if refusal.code > 16:
            self.h2.send_headers(stream, [(":status", str(refusal.code)), ("content-type", "text/html")])
            self.h2.send_data(stream, b"<html>a proxy</html>", end_stream=True)
            return
        self.h2.send_headers(stream, [
            (":status", "200"), ("content-type", "application/grpc"), ("grpc-status", str(refusal.code)),
            ("grpc-message", urllib.parse.quote(refusal.message, safe=" :/"))], end_stream=True)

    def answer(self, stream, headers, body):
        begun = False
        try:
            with LOCK:
                world, frames = serve(headers, body)
                if world.has("silent"):
                    return
                for data in frames:
                    if not begun:
                        self.h2.send_headers(stream, [(":status", "200"), ("content-type", "application/grpc")])
                        begun = True
                    self.send(stream, data, 1 + len(data) % 7 if world.has("pieces") else 16384)
            if not begun:
                self.h2.send_headers(stream, [(":status", "200"), ("content-type", "application/grpc")])
            trailers = [("grpc-status", "0")] if not world.has("bare") else [("x-other", "0")]
            self.h2.send_headers(stream, trailers, end_stream=True)
        except Refusal as refusal:
            self.fail(stream, refusal)
        self.flush()

    def receive(self):
        data = self.socket.recv(65536)
        if not data:
            raise ConnectionError
        for event in self.h2.receive_data(data):
            if isinstance(event, h2.events.RequestReceived):
                self.streams[event.stream_id] = (dict(event.headers), bytearray())
            elif isinstance(event, h2.events.DataReceived):
                self.streams[event.stream_id][1].extend(event.data)
                self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            elif isinstance(event, h2.events.StreamEnded):
                headers, body = self.streams.pop(event.stream_id)
                self.answer(event.stream_id, headers, bytes(body))
        self.flush()

    def run(self):
        self.h2.initiate_connection()
        self.flush()
        while True:
            self.receive()


def handle(raw, context):
    try:
        with context.wrap_socket(raw, server_side=True) as wrapped:
            if wrapped.selected_alpn_protocol() == "h2":
                Connection(wrapped).run()
    except (Cut, OSError):
        raw.close()


class Tokens(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        project = self.path.strip("/")
        self.rfile.read(int(self.headers["Content-Length"]))
        with LOCK:
            world = world_of(project)
            world.tokens += 1
            token = "useless" if project == "wrong" else f"token-{project}-{world.tokens}"
        body = json.dumps({"access_token": token, "expires_in": 3600, "token_type": "Bearer"}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


def main(port, certificates, token_port):
    tokens = http.server.ThreadingHTTPServer(("127.0.0.1", int(token_port)), Tokens)
    threading.Thread(target=tokens.serve_forever, daemon=True).start()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{certificates}/public.crt", f"{certificates}/private.key")
    context.set_alpn_protocols(["h2"])
    with socket.create_server(("127.0.0.1", int(port))) as listener:
        while True:
            raw, _ = listener.accept()
            threading.Thread(target=handle, args=(raw, context), daemon=True).start()


main(*sys.argv[1:])
