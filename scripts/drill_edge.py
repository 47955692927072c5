"""Drills of scripts/drill about HTTP/2 clients: floods, a connection with very many streams, one client that takes all."""
import collections, hashlib, json, os, resource, secrets, select, selectors, socket, string, struct, subprocess, sys, tempfile, time, zlib
from drill import CHAT, Millrace, Row, children

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST, SETTINGS, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = 0, 1, 2, 3, 4, 6, 7, 8, 9
END_STREAM, ACK, END_HEADERS = 1, 1, 4
MOST = (1 << 31) - 1
BODY = b'{"model":"m","stream":true,"messages":[]}'
GAP_MS = 20  # between two frames of an honest stream
ADDED_P99_MS = 75  # the most that others add to the gaps of honest streams at p99, with four busy processes on two cores
MOST_TIMES = 10  # a flood costs the relay less than this many times what it costs its sender


# ---------------------------------------------------------------- frames

def frame(kind, flags, stream, payload=b""):
    return struct.pack("!I", len(payload))[1:] + struct.pack("!BBI", kind, flags, stream) + payload


def number(prefix, first, value):
    """An integer of HPACK."""
    most = (1 << prefix) - 1
    if value < most: return bytes([first | value])
    out, value = bytes([first | most]), value - most
    while value >= 128: out, value = out + bytes([value & 127 | 128]), value >> 7
    return out + bytes([value])


def text(value): return number(7, 0, len(value)) + value


def head(method, path, **fields):
    """A block without entries in the table and without Huffman."""
    block = (b"\x82" if method == "GET" else b"\x83") + b"\x86\x04" + text(path.encode()) + b"\x01" + text(b"drill")
    for name, value in fields.items(): block += b"\x00" + text(name.replace("_", "-").encode()) + text(value.encode())
    return block


def get(stream, path): return frame(HEADERS, END_STREAM | END_HEADERS, stream, head("GET", path))


def post(stream, spec="", key=None, body=BODY):
    fields = {"content_type": "application/json", "x_mock": spec, **({"authorization": "Bearer " + key} if key else {})}
    return frame(HEADERS, END_HEADERS, stream, head("POST", CHAT, **fields)) + (frame(DATA, END_STREAM, stream, body) if body else b"")


def hello(window=MOST):
    """What a client says first. Windows are as large as they can be, unless told otherwise."""
    return PREFACE + frame(SETTINGS, 0, 0, struct.pack("!HI", 4, window)) + frame(WINDOW_UPDATE, 0, 0, struct.pack("!I", MOST - 65535))


def window_update(stream, bytes): return frame(WINDOW_UPDATE, 0, stream, struct.pack("!I", bytes))


class Frames:
    """Cuts what came into frames: kind, flags, stream, payload."""

    def __init__(self): self.left = b""

    def of(self, came):
        got, at = self.left + came, 0
        while len(got) - at >= 9 and len(got) - at >= 9 + (size := int.from_bytes(got[at:at + 3], "big")):
            yield got[at + 3], got[at + 4], int.from_bytes(got[at + 5:at + 9], "big"), got[at + 9:at + 9 + size]
            at += 9 + size
        self.left = got[at:]


def answer(kind, flags, payload):
    """What a frame of the relay's needs as an answer."""
    if kind == SETTINGS and not flags & ACK: return frame(SETTINGS, ACK, 0)
    return frame(PING, ACK, 0, payload) if kind == PING and not flags & ACK else b""


# ---------------------------------------------------------------- honest clients

class Honest:
    """A process with clients that each read one stream at a time, on a connection of their own."""

    def __init__(self, port, count, key=""):
        self.process = subprocess.Popen([sys.executable, __file__, "honest", str(port), str(count), key],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def during(self, seconds):
        """What they see for some time: p50, p99 and max of the gaps in ms, streams that were whole and that were not."""
        print(seconds, file=self.process.stdin, flush=True)
        return collections.namedtuple("Seen", "p50 p99 most first_p99 whole broken")(**json.loads(self.process.stdout.readline()))

    def stop(self):
        self.process.stdin.close()
        self.process.wait(20)


class Reader:
    """One honest client."""

    def __init__(self, port, key, selector):
        self.port, self.key, self.selector, self.socket = port, key, selector, None
        self.gaps, self.firsts, self.whole, self.broken = [], [], 0, 0
        self.connect()

    def connect(self):
        if self.socket:
            self.selector.unregister(self.socket)
            self.socket.close()
        self.socket = socket.create_connection(("127.0.0.1", self.port), 20)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.sendall(hello())
        self.selector.register(self.socket, selectors.EVENT_READ, self)
        self.frames, self.stream, self.last = Frames(), -1, False
        self.ask()

    def ask(self):
        self.stream, self.tail, self.at, self.asked = self.stream + 2, b"", None, time.monotonic()
        self.socket.sendall(post(self.stream, f"tokens=100,gap_ms={GAP_MS}", self.key or None))

    def lost(self):
        self.broken += 1
        self.connect()

    def read(self):
        try:
            came = self.socket.recv(65536)
            if not came: return self.lost()
            now = time.monotonic()
            for kind, flags, stream, payload in self.frames.of(came):
                if reply := answer(kind, flags, payload): self.socket.sendall(reply)
                if kind == GOAWAY: self.last = True
                if stream != self.stream: continue
                if kind == RST: return self.lost()
                if kind == DATA and payload:
                    (self.firsts if self.at is None else self.gaps).append(now - (self.at or self.asked))
                    self.at, self.tail = now, (self.tail + payload)[-32:]
                if kind in (DATA, HEADERS) and flags & END_STREAM:
                    if self.tail.endswith(b"data: [DONE]\n\n"): self.whole += 1
                    else: return self.lost()
                    if self.last: return self.connect()
                    self.ask()
        except OSError: self.lost()


def honest(port, count, key):
    selector = selectors.DefaultSelector()
    readers = [Reader(port, key, selector) for _ in range(count)]
    selector.register(sys.stdin, selectors.EVENT_READ)
    until = None
    while True:
        for found, _ in selector.select(0.05):
            if found.data: found.data.read()
            else:
                line = sys.stdin.readline()
                if not line: return
                until = time.monotonic() + float(line)
                for r in readers: r.gaps, r.firsts, r.whole, r.broken = [], [], 0, 0
        if until and time.monotonic() > until:
            until = None
            gaps, firsts = ([1000 * g for r in readers for g in part(r)] for part in (lambda r: r.gaps, lambda r: r.firsts))
            print(json.dumps({"p50": percentile(gaps, 0.5), "p99": percentile(gaps, 0.99), "most": percentile(gaps, 1),
                              "first_p99": percentile(firsts, 0.99), "whole": sum(r.whole for r in readers),
                              "broken": sum(r.broken for r in readers)}), flush=True)


def percentile(values, share): return sorted(values)[min(len(values) - 1, int(len(values) * share))] if values else 0.0


# ---------------------------------------------------------------- relays

def relay_of(mock, more="", clients=None, options=""):
    config = tempfile.NamedTemporaryFile("w", suffix=".yaml")
    print("listeners:\n  - {address: '127.0.0.1:0', protocols: [h2, http/1.1]}\n  - {address: '127.0.0.1:0', serves: [health, metrics]}\n"
          f"upstreams: {{mock: {{url: 'http://127.0.0.1:{mock.port}', maxConnections: 100000}}}}\naccessLog: off\n{more}"
          + (f"clients: {{file: {clients}}}\n" if clients else ""), file=config, flush=True)
    relay = Millrace("serve", config.name, listen=False, options=options)
    relay.config = config
    return relay


def processor_s(process):
    """The processor time of a process and its children so far."""
    ticks = 0
    for pid in children(process.process.pid):
        try: ticks += sum(map(int, open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()[11:13]))
        except OSError: pass
    return ticks / os.sysconf("SC_CLK_TCK")


def requests_of(mock): return json.loads(mock.get("/__mock/stats"))["requests"]


# ---------------------------------------------------------------- floods

def streams(count, one, first=1): return b"".join(one(first + 2 * i) for i in range(count))


def bomb(stream):
    """One entry of 4,000 bytes in the table, then 12,000 references to it."""
    entry = b"\x40" + text(b"x-bomb") + text(b"a" * 4000)
    return frame(HEADERS, END_STREAM | END_HEADERS, stream, head("GET", "/healthz") + entry + b"\xbe" * 12_000)


FLOODS = {  # name: how often it is sent on one connection, what is sent once, what is sent again and again
    "PING": (100, hello(), frame(PING, 0, 0, b"attack!!") * 2000),
    "SETTINGS": (100, hello(), frame(SETTINGS, 0, 0) * 2000),
    "SETTINGS of 2,000 parameters": (100, hello(), frame(SETTINGS, 0, 0, struct.pack("!HI", 4, 65535) * 2000) * 5),
    "PRIORITY": (100, hello(), frame(PRIORITY, 0, 3, struct.pack("!IB", 0, 9)) * 2000),
    "WINDOW_UPDATE": (100, PREFACE + frame(SETTINGS, 0, 0), window_update(0, 1) * 8000),
    "frames of an unknown type": (100, hello(), frame(99, 0, 0, b"x") * 2000),
    "DATA without bytes": (100, hello() + post(1, body=None), frame(DATA, 0, 1) * 2000),
    "rapid reset": (1, hello(), streams(1000, lambda i: get(i, "/v1/models?mock=ttft_ms%3D9000") + frame(RST, 0, i, struct.pack("!I", 8)))),
    "requests, and then their resets": (1, hello() + streams(110, lambda i: get(i, "/v1/models?mock=ttft_ms%3D9000")),
                                        streams(110, lambda i: frame(RST, 0, i, struct.pack("!I", 8)))),
    "requests, and then no connection": (1, hello(), streams(110, lambda i: get(i, "/v1/models?mock=ttft_ms%3D9000"))),
    "resets that the relay must send": (1, hello(), streams(600, lambda i: post(i, "ttft_ms=9000", body=None) + window_update(i, 0))),
    "CONTINUATION without bytes": (100, hello() + frame(HEADERS, END_STREAM, 1, head("GET", "/healthz")), frame(CONTINUATION, 0, 1) * 2000),
    "CONTINUATION of 16 KiB": (100, hello() + frame(HEADERS, END_STREAM, 1, head("GET", "/healthz")),
                               frame(CONTINUATION, 0, 1, b"\x00" + text(b"x-fill") + text(b"a" * 16_000)) * 4),
    "HPACK bombs": (1, hello(), streams(300, bomb)),
    "requests over the limit": (1, hello(), streams(3000, lambda i: post(i, "ttft_ms=9000", body=None))),
    "requests for /healthz": (1, hello(), streams(5000, lambda i: get(i, "/healthz"))),
    "requests that are refused (400)": (1, hello(), streams(900, lambda i: get(i, "/v1/\x7f"))),
    "requests that no route takes (404)": (1, hello(), streams(3000, lambda i: get(i, "/nowhere"))),
    "windows of one byte": (2000, hello(0) + streams(10, lambda i: post(i, "tokens=1000,bytes=400")), streams(10, lambda i: window_update(i, 1)) * 10),
    "connections": (0, hello(), b""),
}
# Their sender does not wait for the end: it leaves when the relay has answered anything, and comes back on another connection.
LEAVES = {"requests, and then their resets", "requests, and then no connection"}


def attack(port, name, seconds):
    """Sends one flood again and again, each on a new connection when the last one was closed; tells what it took."""
    repeats, once, again = FLOODS[name]
    ends, bytes_sent, connections, begun = collections.Counter(), 0, 0, time.monotonic()
    while time.monotonic() - begun < seconds:
        connections += 1
        how = None
        with socket.create_connection(("127.0.0.1", port), 5) as s:
            s.settimeout(1)
            got = b""
            try:
                s.sendall(once)
                bytes_sent += len(once)
                for _ in range(repeats):
                    s.sendall(again)
                    bytes_sent += len(again)
                    if select.select([s], [], [], 0)[0]:
                        part = s.recv(1 << 18)
                        if not part: break
                        got = (got + part)[-4096:]
                    if time.monotonic() - begun > seconds: break
                if name in LEAVES:
                    how = "left"
                    s.recv(1 << 18)
                elif repeats:
                    while part := s.recv(1 << 18): got = (got + part)[-4096:]
            except TimeoutError: how = "stays open"
            except OSError: pass
        at = got.rfind(b"\x07\x00\x00\x00\x00\x00")  # GOAWAY: type, flags, stream
        code = int.from_bytes(got[at + 10:at + 14], "big") if at >= 0 else None
        ends[how or (f"GOAWAY {code}" if code is not None else "closed")] += 1
    spent = resource.getrusage(resource.RUSAGE_SELF)
    print(json.dumps([spent.ru_utime + spent.ru_stime, bytes_sent, connections, ends.most_common()]))


def flood(port, name, seconds):
    out = subprocess.run([sys.executable, __file__, "attack", str(port), name, str(seconds)], stdout=subprocess.PIPE, check=True, text=True)
    return json.loads(out.stdout)


def starting_s():
    """What an attacker takes that sends nothing: its interpreter."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, __file__, "nothing"], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def floods(quick):
    """Each kind of flood for some seconds, beside honest streams."""
    seconds = 2 if quick else 5
    mock = Millrace("mock")
    relay = relay_of(mock, "routes: [{match: {paths: '/v1/*'}, upstream: mock}]\n")
    clients = Honest(relay.port, 10)
    idle_s = starting_s()
    try:
        clients.during(seconds)
        before = processor_s(relay)
        alone = clients.during(seconds)
        own_s = (processor_s(relay) - before) / seconds
        yield Row("floods", "none", f"relay {own_s * 100:.0f}% of a core", seen_words(alone), "-", not alone.broken)
        for name in FLOODS:
            flood(relay.port, name, 1 if quick else 3)  # compiled by now, as in a relay that has run for a while
            before, asked, begun = processor_s(relay), requests_of(mock), time.monotonic()
            attacker = subprocess.Popen([sys.executable, __file__, "attack", str(relay.port), name, str(seconds)], stdout=subprocess.PIPE, text=True)
            seen = clients.during(seconds)
            spent_s, sent, connections, ends = json.loads(attacker.communicate()[0])
            took_s = processor_s(relay) - before - own_s * (time.monotonic() - begun)
            asked = requests_of(mock) - asked - seen.whole
            times = max(0, took_s) / max(spent_s - idle_s, 0.01)
            ended = ", ".join(f"{how}" + (f" ({n})" if len(ends) > 1 else "") for how, n in ends[:3])
            yield Row("floods", f"{name}: {connections} connections, {sent / (1 << 20):.0f} MiB",
                      f"sender {spent_s - idle_s:.2f} s, relay {max(0, took_s):.2f} s: {times:.1f} times", seen_words(seen),
                      f"{ended}; {max(0, asked)} reached the upstream", times < MOST_TIMES and not seen.broken and seen.p99 < alone.p99 + ADDED_P99_MS)
    finally: clients.stop(); relay.stop(); mock.stop()


def seen_words(seen):
    return f"gaps p50 {seen.p50:.0f}, p99 {seen.p99:.0f}, longest {seen.most:.0f} ms; {seen.whole} whole, {seen.broken} broken"


# ---------------------------------------------------------------- a connection with very many streams

def many(port, count, seconds):
    """One connection with many streams that are read as they come; says when all have begun."""
    with socket.create_connection(("127.0.0.1", port), 20) as s:
        s.sendall(hello() + b"".join(post(1 + 2 * i, "tokens=100000,gap_ms=100") for i in range(count)))
        frames, begun, output, until = Frames(), set(), 0, time.monotonic() + seconds
        print("asked", flush=True)
        while time.monotonic() < until:
            came = s.recv(1 << 18)
            if len(begun) == count:
                output += came.count(b"data: ")
                continue
            for kind, flags, stream, payload in frames.of(came):
                if reply := answer(kind, flags, payload): s.sendall(reply)
                if kind == DATA: begun.add(stream)
                if kind in (RST, GOAWAY): raise SystemExit("drill: refused")
        print(json.dumps([len(begun), output]), flush=True)


def fat(quick):
    """One connection with 1,000 streams beside a connection with one."""
    count, seconds = (200, 4) if quick else (1000, 10)
    mock = Millrace("mock")
    relay = relay_of(mock, "http2: {streams: 1000}\nlimits: {requestsPerConnection: 10000}\n")
    client = Honest(relay.port, 1)
    try:
        client.during(3)
        alone = client.during(seconds)
        yield Row("fat", "one connection with one stream, alone", "-", seen_words(alone), "-", not alone.broken)
        for round in ("cold", "warm"):
            crowd = subprocess.Popen([sys.executable, __file__, "many", str(relay.port), str(count), str(seconds + 2)], stdout=subprocess.PIPE, text=True)
            crowd.stdout.readline()
            opening = client.during(2)
            beside = client.during(seconds - 1)
            begun, output = json.loads(crowd.communicate()[0])
            yield Row("fat", f"beside one with {count} streams of 10 frames a second, {round}", f"{begun} begun, {output} frames read",
                      f"{seen_words(beside)}; while they opened p99 {opening.p99:.0f}, longest {opening.most:.0f} ms", "-",
                      begun == count and not beside.broken + opening.broken and beside.p99 < alone.p99 + ADDED_P99_MS and opening.most < 500)
    finally: client.stop(); relay.stop(); mock.stop()


# ---------------------------------------------------------------- a client that takes all

def new_key():
    """A key of a client, as `millrace key new` makes it."""
    letters = string.digits + string.ascii_uppercase + string.ascii_lowercase

    def base62(value, length):
        out = ""
        for _ in range(length): out, value = letters[value % 62] + out, value // 62
        return out

    key = "mr_" + base62(secrets.randbits(256), 43)
    return key + base62(zlib.crc32(key.encode()), 6)


def take_all(port, key, streams, rate, seconds):
    """Asks for long streams, 100 on each connection, and beside them for short ones at a steady rate."""
    live = []
    for _ in range(streams // 100):
        s = socket.create_connection(("127.0.0.1", port), 20)
        s.sendall(hello() + b"".join(post(1 + 2 * i, "tokens=100000,gap_ms=1000", key) for i in range(100)))
        s.setblocking(False)
        live.append(s)
    short, ids, sent, begun, lost = {}, {}, 0, time.monotonic(), 0
    while (now := time.monotonic() - begun) < seconds:
        for s in live:
            try:
                if not s.recv(1 << 18): lost += 1
            except OSError: pass
        while sent < now * rate:
            at = sent % 10
            if at not in short or ids[at] > 900:
                if at in short: short[at].close()
                short[at], ids[at] = socket.create_connection(("127.0.0.1", port), 20), -1
                short[at].sendall(hello())
            ids[at] += 2
            sent += 1
            try:
                short[at].sendall(post(ids[at], "tokens=3", key))
                short[at].recv(1 << 18, socket.MSG_DONTWAIT)
            except BlockingIOError: pass
            except OSError: del short[at]
        time.sleep(0.005)
    print(json.dumps([sent, lost]), flush=True)


def revoked_s(relay, clients, key):
    """Removes a client's key from the file; how long until a request with it is refused."""
    lines = [line for line in open(clients.name).read().splitlines() if not line.startswith("  greedy:")]
    with open(clients.name + ".new", "w") as file: print("\n".join(lines), file=file)
    os.chmod(file.name, 0o600)
    os.rename(file.name, clients.name)
    begun = time.monotonic()
    while time.monotonic() - begun < 10:
        with socket.create_connection(("127.0.0.1", relay.port), 5) as s:
            s.sendall(f"GET /v1/models HTTP/1.1\r\nHost: drill\r\nAuthorization: Bearer {key}\r\nConnection: close\r\n\r\n".encode())
            if s.recv(64).startswith(b"HTTP/1.1 401"): break
        time.sleep(0.01)
    return time.monotonic() - begun


def greedy(quick):
    """One client with 5,000 streams and 1,000 requests a second beside honest ones."""
    streams, rate, seconds = (500, 200, 5) if quick else (5000, 1000, 15)
    mock = Millrace("mock")
    for what, limits in (("default limits", "{}"), ("a client that may have them", f"{{limits: {{streams: {streams + 100}, requestsPerSecond: 2000, burst: {streams + 2000}}}}}")):
        keys = {name: new_key() for name in ("honest", "greedy")}
        clients = tempfile.NamedTemporaryFile("w", suffix=".yaml")
        print("clients:", file=clients)
        for name, key in keys.items():
            more = ", " + limits[1:-1] if name == "greedy" and limits != "{}" else ""
            print(f"  {name}: {{metrics: true, keys: [{{sha256: {hashlib.sha256(key.encode()).hexdigest()}}}]{more}}}", file=clients, flush=True)
        os.chmod(clients.name, 0o600)
        relay = relay_of(mock, clients=clients.name)
        honest = Honest(relay.port, 10, keys["honest"])
        try:
            honest.during(3)
            alone = honest.during(seconds / 2)
            taker = subprocess.Popen([sys.executable, __file__, "take_all", str(relay.port), keys["greedy"], str(streams), str(rate), str(seconds)],
                                     stdout=subprocess.PIPE, text=True)
            beside = honest.during(seconds + 1)
            sent, lost = json.loads(taker.communicate()[0])
            took = revoked_s(relay, clients, keys["greedy"])
            counts = {k: int(v) for k, v in relay.metrics().items() if k.startswith('millrace_client_requests_total{client="')}
            served, refused = (sum(v for k, v in counts.items() if 'client="greedy"' in k and f'result="{r}"' in k) for r in ("served", "limited"))
            wrong = sum(v for k, v in counts.items() if 'client="honest"' in k and 'result="served"' not in k)
            yield Row("greedy", f"{streams} streams and {sent} requests by one key, {what}", f"{served} served, {refused} refused (429)",
                      f"{seen_words(beside)}; alone p99 {alone.p99:.0f} ms; first output p99 {beside.first_p99:.0f}, alone {alone.first_p99:.0f} ms",
                      f"{wrong} honest requests refused; its key refused {took * 1000:.0f} ms after it was removed", took <= 1 and not beside.broken and not wrong and beside.p99 < alone.p99 + ADDED_P99_MS and (refused > 0 or limits != "{}"))
        finally: honest.stop(); relay.stop()
    mock.stop()


if __name__ == "__main__":
    role, given = sys.argv[1], sys.argv[2:]
    if role == "honest": honest(int(given[0]), int(given[1]), given[2])
    if role == "attack": attack(int(given[0]), given[1], float(given[2]))
    if role == "many": many(int(given[0]), int(given[1]), float(given[2]))
    if role == "take_all": take_all(int(given[0]), given[1], int(given[2]), int(given[3]), float(given[4]))
