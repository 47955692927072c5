#!/usr/bin/env python3
"""The drills of scripts/drill, which says how to call it: real processes, sockets on loopback, bounded in time and count."""
import asyncio, collections, concurrent.futures, hashlib, importlib, json, os, pathlib, select, selectors, socket, struct, subprocess, sys, tempfile, threading, time, urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
LAUNCHER = os.environ.get("MILLRACE", "millrace")
CHAT = "/v1/chat/completions"
SLOW_BODY_LIMIT_S = 65  # two windows of 30 s: in the first it may have been fast
HEALTH_LIMIT_S = 1.0  # the client that asks shares two processors with the load
ADMIN_LIMIT_S = 0.1  # whatever the clients do
BACKGROUND = 10  # the niceness of a crowd and its upstream, on Linux of a thread alone
NOTICE_LIMIT_S = 35  # 30 s are promised; the rest is for the timers' periods
ELSEWHERE_LIMIT_S = NOTICE_LIMIT_S + 5  # the vanished upstream is tried once more, which takes a connect timeout


# ---------------------------------------------------------------- processes

def children(pid):
    todo, found = [pid], []
    while todo:
        found.append(todo.pop())
        try: todo += [int(p) for p in open(f"/proc/{found[-1]}/task/{found[-1]}/children").read().split()]
        except OSError: pass
    return found


class Millrace:
    """A relay or a mock, on a port that it chose itself unless an address is given; a relay also with an admin listener."""

    def __init__(self, *arguments, options="", prefix=(), host="127.0.0.1", port=0, admin=False, listen=True, **environment):
        self.host, self.port, self.admin_port = host, port, None
        self.log = tempfile.NamedTemporaryFile("wb", suffix=".log")
        env = {**os.environ, "MILLRACE_OPTS": options, **environment}
        for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY"): env.pop(name, None)
        where = ["--listen", f"{host}:{port}"] if listen else []
        if admin:
            self.config = tempfile.NamedTemporaryFile("w", suffix=".yaml")
            print(f"listeners:\n  - address: {host}:{port}\n  - {{address: '{host}:0', serves: [health, metrics]}}", file=self.config, flush=True)
            where = [self.config.name]
        command = [*prefix, LAUNCHER, *arguments, *where]
        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log, env=env, preexec_fn=os.setpgrp)
        self.await_start()

    def await_start(self):
        for _ in range(600):
            text = open(self.log.name, errors="replace").read()
            if " listening on " in text:
                addresses = text.split(" listening on ", 1)[1].split(" -> ", 1)[0].split(", ")
                ports = [int(address.split()[0].rstrip("/").rsplit(":", 1)[1]) for address in addresses]
                self.port, self.admin_port = ports[0], ports[1] if len(ports) > 1 else None
                return
            if self.process.poll() is not None: raise SystemExit("drill: it did not start: " + text[-400:])
            time.sleep(0.1)
        raise SystemExit("drill: it did not say where it listens: " + text[-400:])

    def rss_mib(self):
        sizes = []
        for pid in children(self.process.pid):
            try: sizes += [int(line.split()[1]) // 1024 for line in open(f"/proc/{pid}/status") if line.startswith("VmRSS")]
            except OSError: pass
        return max(sizes, default=0)

    def get(self, path, timeout=5, port=None):
        with urllib.request.urlopen(f"http://{self.host}:{port or self.port}{path}", timeout=timeout) as answer:
            return answer.read().decode()

    def metrics(self):
        """name{labels} -> value; from the admin listener, if there is one"""
        return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1])
                for line in self.get("/metrics", 20, self.admin_port).splitlines() if line and not line.startswith("#")}

    def held_mib(self):
        """What it says that it holds for its clients."""
        return sum(v for k, v in self.metrics().items() if k.startswith("millrace_held_bytes{")) / (1 << 20)

    def outcomes(self):
        """How often each outcome of an exchange was counted, those of the relay's own paths apart."""
        name = "millrace_exchanges_total{outcome=\""
        return {key[len(name):-2]: int(value) for key, value in self.metrics().items()
                if key.startswith(name) and value and "local" not in key}

    def logged(self):
        return sum(1 for line in open(self.log.name, errors="replace") if line.startswith("{"))

    def stop(self):
        for signal in (15, 9):
            for pid in children(self.process.pid):
                try: os.kill(pid, signal)
                except OSError: pass
            try: self.process.wait(40)
            except subprocess.TimeoutExpired: continue
            break
        self.log.close()


class Prober:
    """Asks /healthz again and again, each time on a new connection, and keeps how long each answer took: in a process of its
    own, which waits for none of this one's threads. Where there is an admin listener, that is the one that must be quick."""

    def __init__(self, relay, admin_port=None):
        self.limit = ADMIN_LIMIT_S if admin_port else HEALTH_LIMIT_S
        self.admin = Prober(relay, relay.admin_port) if relay.admin_port and not admin_port else None
        self.process = subprocess.Popen([sys.executable, __file__, "_probe", str(admin_port or relay.port)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def finish(self):
        if self.admin: self.admin.finish()
        self.times, self.unanswered = json.loads(self.process.communicate()[0])
        return self

    def words(self):
        times = sorted(t * 1000 for t in self.times) or [float("nan")]
        asked = len(self.times) + self.unanswered
        words = f"/healthz {len(self.times)} of {asked}, median {times[len(times) // 2]:.0f} ms, slowest {times[-1]:.0f} ms"
        return f"admin {self.admin.words()}; beside the clients {words}" if self.admin else words

    def sound(self):
        if self.admin: return self.admin.sound()
        return not self.unanswered and self.times and max(self.times) <= self.limit


def probe(port):
    """Until standard input ends; then tells the seconds that each answer took, and how many did not come within 5 s."""
    times, unanswered = [], 0
    while not select.select([sys.stdin], [], [], 0.1)[0]:
        begun = time.monotonic()
        try:
            with socket.create_connection(("127.0.0.1", port), 5) as s:
                s.sendall(b"GET /healthz HTTP/1.1\r\nHost: drill\r\nConnection: close\r\n\r\n")
                if not s.recv(64).startswith(b"HTTP/1.1 200"): raise OSError("not healthy")
            times.append(time.monotonic() - begun)
        except OSError: unanswered += 1
    print(json.dumps([times, unanswered]))


# ---------------------------------------------------------------- clients

def request(path, spec, more="", length=None, body=None):
    if body is None:
        body = json.dumps({"model": "m", "stream": True, "max_tokens": 100, "messages": [{"role": "user", "content": "Hi"}],
                           "input": "Hi", "contents": [{"parts": [{"text": "Hi"}]}]}).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: drill\r\nContent-Type: application/json\r\nx-mock: {spec}\r\n{more}"
    return f"{head}Content-Length: {len(body) if length is None else length}\r\n\r\n".encode() + body


def connect(relay, receive_buffer=None):
    s = socket.socket()
    if receive_buffer: s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    s.settimeout(20)
    s.connect((relay.host, relay.port))
    return s


def ask(relay, spec="tokens=3", timeout=20):
    """One stream -> (status or 0, whether it was whole, seconds)"""
    begun, got = time.monotonic(), b""
    try:
        with connect(relay) as s:
            s.settimeout(timeout)
            s.sendall(request(CHAT, spec, "Connection: close\r\n"))
            while part := s.recv(65536): got += part
    except OSError: pass
    status = int(got[9:12]) if got.startswith(b"HTTP/1.1 ") else 0
    return status, b"data: [DONE]" in got, time.monotonic() - begun


def in_background(work):
    """Does it in a thread of lower priority. A real crowd, and a real upstream, have other processors than the relay."""
    with concurrent.futures.ThreadPoolExecutor(1, initializer=os.nice, initargs=(BACKGROUND,)) as pool:
        return pool.submit(work).result()


def crowd(relay, count, spec):
    """Clients that ask and never read; as many as were let in."""
    sockets = []
    for _ in range(count):
        try:
            s = connect(relay, 4096)
            s.sendall(request(CHAT, spec))
            sockets.append(s)
        except OSError: pass
    return sockets


def told(sockets):
    """How many have been told something else than a stream, or were closed; read without waiting."""
    refused = closed = 0
    for s in sockets:
        s.setblocking(False)
        try: start = s.recv(16, socket.MSG_PEEK)
        except BlockingIOError: continue
        except OSError: closed += 1; continue
        if not start: closed += 1
        elif not start.startswith(b"HTTP/1.1 200"): refused += 1
    return refused, closed


def wait_until(condition, seconds):
    """How long it took, or None."""
    begun = time.monotonic()
    while time.monotonic() - begun < seconds:
        if condition(): return time.monotonic() - begun
        time.sleep(0.25)
    return None


def settled(measure, seconds):
    """The most that was measured until it no longer grew for 5 s."""
    most, since, begun = 0, time.monotonic(), time.monotonic()
    while time.monotonic() - begun < seconds and time.monotonic() - since < 5:
        now = measure()
        if now > most * 1.02: most, since = now, time.monotonic()
        time.sleep(0.5)
    return most


# ---------------------------------------------------------------- drills

Row = collections.namedtuple("Row", "drill did held survived lost sound")


def stalled(quick):
    """Clients that read nothing while the upstream answers 6 MB each, fast; and more clients of silent streams than the
    heap has room for."""
    flood, silence = "tokens=1500,bytes=4000", "tokens=9,stall_after=1"
    for heap, count, spec in (("-Xmx64m", 1500, flood), ("-Xmx512m", 8500, flood), ("", 8500, flood), ("-Xmx64m", 12000, silence)):
        count = count // (10 if quick else 1)
        mock = Millrace("mock", prefix=("nice", "-n", str(BACKGROUND)))
        relay = Millrace("serve", "--upstream", f"http://127.0.0.1:{mock.port}", options=heap, admin=True)
        try:
            ask(relay)
            prober, before = Prober(relay), relay.rss_mib()
            sockets = in_background(lambda: crowd(relay, count, spec))
            held = settled(relay.held_mib, 20 if quick else 90)
            most = relay.rss_mib()
            refused, closed = told(sockets)
            small = [ask(relay, timeout=5)[0] for _ in range(5)]
            for s in sockets: s.close()
            status, whole, took = ask(relay)
            prober.finish()
            alive = relay.process.poll() is None
            after = f"a stream after they left: {f'{took * 1000:.0f} ms' if whole else 'none'}"
            answered = sum(1 for s in small if s in (200, 503))
            what = "that read nothing" if spec == flood else "of silent streams"
            yield Row("stalled", f"{count} clients {what}, {heap or 'default heap'}",
                      f"{held:.0f} MiB for clients; process {before} to {most} MiB", f"{prober.words()}; {answered} of 5 beside them answered; {after}",
                      f"{refused} refused (503), {closed} cut",
                      alive and prober.sound() and answered == 5 and whole and took < 2)
        finally: relay.stop(); mock.stop()


def trickled(quick):
    """Bodies that are all but whole, or hardly begun, and then get a byte each 5 s."""
    mock = Millrace("mock")
    relay = Millrace("serve", "--upstream", f"http://127.0.0.1:{mock.port}", options="-Xmx512m")
    try:
        ask(relay)
        prober, before, asked = Prober(relay), relay.rss_mib(), json.loads(mock.get("/__mock/stats"))["connections"]
        size = (32 << 20) - 100
        large, many = [connect(relay) for _ in range(4)], [connect(relay) for _ in range(100 if quick else 1000)]
        text = b'{"model":"m","stream":true,"messages":[],"user":"'
        for s in large:
            try: s.sendall(request(CHAT, "", length=size, body=text + b"x" * (size - 12 - len(text))))
            except OSError: pass
        for s in many: s.sendall(request(CHAT, "", length=8192, body=text))
        small, most, left, dialled = [], 0, large + many, 0
        until = time.monotonic() + SLOW_BODY_LIMIT_S
        while time.monotonic() < until and left:
            for s in list(left):
                try:
                    s.setblocking(False)
                    s.send(b"x")
                except BlockingIOError: pass
                except OSError: left.remove(s)
            small += [ask(relay, timeout=5)[0] for _ in range(10)]
            most = max(most, relay.rss_mib())
            dialled = max(dialled, json.loads(mock.get("/__mock/stats"))["open_connections"])
            time.sleep(5)
        prober.finish()
        served = small.count(200)
        yield Row("trickled", f"4 bodies of 32 MiB less 12 bytes and {len(many)} of 8 KiB, then a byte each 5 s, -Xmx512m",
                  f"{before} to {most} MiB, {dialled} upstream connections", f"{prober.words()}; {served} of {len(small)} small requests",
                  f"{len(large + many) - len(left)} of {len(large + many)} closed within {SLOW_BODY_LIMIT_S} s",
                  prober.sound() and served == len(small) and not left)
    finally: relay.stop(); mock.stop()


def bombs(quick):
    """Answers whose coding makes a thousand bytes of one."""
    count = 5 if quick else 20
    mock = Millrace("mock")
    relay = Millrace("serve", "--upstream", f"http://127.0.0.1:{mock.port}", options="-Xmx192m")
    try:
        ask(relay)
        prober, before = Prober(relay), relay.rss_mib()
        sockets = crowd(relay, count, "gzip=1,tokens=2000,bytes=40000")
        most = held = 0
        for _ in range(10 if quick else 40):
            time.sleep(0.5)
            most, held = max(most, relay.rss_mib()), max(held, relay.held_mib())
        refused, closed = told(sockets)
        for s in sockets: s.close()
        status, whole, took = ask(relay)
        prober.finish()
        yield Row("bombs", f"{count} stalled clients of gzip streams, 80 MB each of 0.6 MB, -Xmx192m", f"{held:.1f} MiB for clients; process {before} to {most} MiB",
                  f"{prober.words()}; a stream after they left: {f'{took * 1000:.0f} ms' if whole else 'none'}",
                  f"{refused} refused (503), {closed} cut", prober.sound() and whole and took < 2 and held < 0.5 * count)
        prober, before = Prober(relay), relay.rss_mib()
        with concurrent.futures.ThreadPoolExecutor(count) as pool:
            ends = list(pool.map(lambda _: ask(relay, "gzip=1,tokens=200,bytes=500000", 60), range(count)))
        prober.finish()
        cut = sum(1 for status, whole, _ in ends if status == 200 and not whole)
        yield Row("bombs", f"{count} clients that read gzip streams of 100 MB each of 0.1 MB, -Xmx192m", f"process {before} to {relay.rss_mib()} MiB",
                  prober.words(), f"{cut} of {count} cut", prober.sound() and cut == count)
    finally: relay.stop(); mock.stop()


# What the mock does, and what an honest relay makes of it: whole, told (an error event, a status or a broken connection).
ENDINGS = [
    ("tokens=5", "whole"), ("tokens=5,usage=1", "whole"), ("tokens=3,big_frame=100000", "whole"), ("tokens=5,linger=1", "whole"),
    ("tokens=5,chunk=none", "whole"), ("tokens=5,gzip=1", "whole"), ("tokens=9,end_after=3", "told"), ("tokens=9,reset_after=3", "told"),
    ("tokens=9,reset_at_byte=700", "told"), ("tokens=9,eof_after=3", "told"), ("tokens=9,error_after=3", "told"),
    ("tokens=9,hidden_error_after=3", "told"), ("tokens=9,garbage_chunk_after=3", "told"), ("tokens=9,error_first=1", "told"),
    ("empty=1", "told"), ("status=500", "told"), ("status=400", "told"), ("garbage_head=1", "told"), ("tokens=99,gap_ms=20", "leaves"),
    ("tokens=99,gap_ms=20", "resets"), ("tokens=99,gap_ms=20", "stops"),
]
PATHS = [CHAT, "/v1/responses", "/v1/messages", "/v1beta/models/m:streamGenerateContent?alt=sse"]


def looks_whole(path, text):
    if b"event: error" in text or b'"error":{' in text: return False
    if "chat" in path: return b"data: [DONE]" in text
    if "responses" in path: return b"event: response.completed" in text or b"event: response.incomplete" in text
    if "messages" in path: return b"event: message_stop" in text
    return b'"finishReason":' in text


async def one_stream(relay, path, spec, then, more=""):
    """-> what the client makes of it (whole, told) or did itself (leaves, resets, stops), and the bytes"""
    reader, writer = await asyncio.open_connection(relay.host, relay.port)
    got = b""
    try:
        writer.write(request(path, spec, "Connection: close\r\n" + more))
        while part := await asyncio.wait_for(reader.read(65536), 60):
            got += part
            if then in ("leaves", "resets") and got.count(b"data:") >= 2:
                if then == "resets":
                    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return then, got
            if then == "stops" and got.count(b"data:") >= 2:
                then = "stopped"
                await stop_stream(relay, got, more)
        if then == "stopped": return "stops" if b"\r\n0\r\n\r\n" in got and looks_whole(path, got) else "told", got
        return "whole" if got.startswith(b"HTTP/1.1 200") and got.endswith(b"0\r\n\r\n") and looks_whole(path, got) else "told", got
    except asyncio.TimeoutError: return "silence", got
    except OSError: return "told", got
    finally: writer.close()


async def stop_stream(relay, got, more):
    at = got.lower().index(b"x-millrace-stream:") + len(b"x-millrace-stream:")
    stream = got[at:got.index(b"\r\n", at)].strip().decode()
    reader, writer = await asyncio.open_connection(relay.host, relay.port)
    writer.write(f"DELETE /millrace/streams/{stream} HTTP/1.1\r\nHost: drill\r\n{more}Connection: close\r\n\r\n".encode())
    await reader.read()
    writer.close()


async def all_streams(relay, count, at_once, more=""):
    wrong, tally, turn = collections.Counter(), collections.Counter(), iter(range(count))

    async def worker():
        for i in turn:
            spec, expected = ENDINGS[i % len(ENDINGS)]
            path = PATHS[i // len(ENDINGS) % len(PATHS)]
            if expected == "whole" and spec.endswith("big_frame=100000") and "responses" in path: spec = "tokens=5"
            try: outcome, got = await one_stream(relay, path, spec, expected, more)
            except OSError as e: outcome, got = repr(e), b""
            tally[outcome] += 1
            if outcome != expected:
                wrong[f"{spec} {path}: {outcome}"] += 1
                if sum(wrong.values()) <= 5: print(f"drill: {spec} {path}: {outcome}, not {expected}: {got[-600:]!r}", file=sys.stderr)

    await asyncio.gather(*(worker() for _ in range(at_once)))
    return tally, wrong


def endings(quick):
    """Streams of all dialects that end in all ways; then nothing may be left of them. Then with a key and its limits."""
    count = 5_000 if quick else 50_000
    mock = Millrace("mock")
    try:
        yield all_endings(mock, count, "", "", "")
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as clients:
            import drill_edge
            key = drill_edge.new_key()
            # One place in five is spare: a stream that did not give its place back would soon be missed.
            clients.write(f"clients: {{drill: {{metrics: true, keys: [{{sha256: {hashlib.sha256(key.encode()).hexdigest()}}}], "
                          "limits: {streams: 80, requestsPerSecond: 0, tokensPerMinute: 100000000}}}\n")
            clients.flush()
            yield all_endings(mock, count // 5, ", with a key that allows 80 at once", f"clients: {{file: {clients.name}}}\n", f"X-Millrace-Key: {key}\r\n")
    finally: mock.stop()


def all_endings(mock, count, what, settings, more):
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as config:
        config.write(f"listeners: [{{address: '127.0.0.1:0'}}, {{address: '127.0.0.1:0', serves: [health, metrics]}}]\n"
                     f"upstreams: {{mock: {{url: http://127.0.0.1:{mock.port}}}}}\n{settings}"
                     "routes: [{match: {}, upstream: mock, retry: {attempts: 1}, timeouts: {hold: 2s}}]\n")
        config.flush()
        relay = Millrace("serve", config.name, listen=False)
        try:
            asyncio.run(all_streams(relay, count // 10, 64, more))
            prober, before = Prober(relay), relay.rss_mib()
            tally, wrong = asyncio.run(all_streams(relay, count, 64, more))
            idle = wait_until(lambda: relay.metrics().get("millrace_active_exchanges") == 0
                              and relay.metrics().get("millrace_open_connections", 0) <= 2, 20)
            prober.finish()
            held = sum(v for k, v in relay.metrics().items() if k.startswith("millrace_held_bytes{"))
            counted = sum(relay.outcomes().values())
            wait_until(lambda: relay.logged() >= counted, 10)
            asked = count + count // 10
            for end, times in wrong.most_common(20): print(f"drill: wrong end, {times} times: {end}", file=sys.stderr)
            return Row("endings", f"{count} streams, {len(ENDINGS)} endings, 4 dialects{what}",
                       f"{before} to {relay.rss_mib()} MiB; afterwards {held:.0f} bytes, {'nothing open' if idle is not None else 'something open'}",
                       f"{prober.words()}; " + ", ".join(f"{n} {w}" for w, n in tally.most_common()),
                       f"{sum(wrong.values())} with a wrong end; {counted} of {asked} counted, {relay.logged()} logged",
                       not wrong and idle is not None and not held and counted >= asked and prober.sound())
        finally: relay.stop()


def vanished(quick):
    """Peers whose packets are dropped from one moment on, in a network of their own."""
    if os.geteuid() != 0:
        print("drill: vanished peers need root", file=sys.stderr)
        return
    yield from in_own_network("vanished", 2, __file__, "_vanished")


def in_own_network(drill, count, *program):
    """The rows that a Python program prints, one a line, in a network of its own. A row is broken if it fails or prints less."""
    done = subprocess.run(["unshare", "--net", sys.executable, *program], stdout=subprocess.PIPE, check=False, text=True)
    lines = done.stdout.splitlines()
    for line in lines: yield Row(*json.loads(line))
    if done.returncode or len(lines) < count: yield Row(drill, "its process", "-", f"ended with {done.returncode}, and told {len(lines)} rows of {count}", "?", False)


def in_network(*command): subprocess.run(command, check=True)


class Host:
    """A machine one cable away from the relay's."""

    def __init__(self, number):
        self.address, self.device = f"10.99.{number}.2", f"far{number}"
        self.holder = subprocess.Popen(["unshare", "--net", "sleep", "600"], start_new_session=True)
        wait_until(lambda: os.readlink(f"/proc/{self.holder.pid}/ns/net") != os.readlink("/proc/self/ns/net"), 5)
        self.prefix = ["nsenter", "-t", str(self.holder.pid), "-n"]
        in_network("ip", "link", "add", f"near{number}", "type", "veth", "peer", "name", self.device)
        in_network("ip", "link", "set", self.device, "netns", str(self.holder.pid))
        in_network("ip", "addr", "add", f"10.99.{number}.1/24", "dev", f"near{number}")
        in_network("ip", "link", "set", f"near{number}", "up")
        in_network(*self.prefix, "ip", "addr", "add", f"{self.address}/24", "dev", self.device)
        in_network(*self.prefix, "ip", "link", "set", self.device, "up")
        self.gateway = f"10.99.{number}.1"

    def vanish(self):
        """From now on nobody answers: no packet, no reset."""
        in_network(*self.prefix, "ip", "addr", "flush", "dev", self.device)

    def stop(self): self.holder.kill()


def vanished_inside():
    in_network("ip", "link", "set", "lo", "up")
    count, clients, upstreams = 20, Host(1), Host(2)
    second = Millrace("mock")
    first = Millrace("mock", prefix=upstreams.prefix, host=upstreams.address, port=9100)
    config = tempfile.NamedTemporaryFile("w", suffix=".yaml")
    config.write(f"upstreams: {{first: {{url: 'http://{upstreams.address}:9100'}}, second: {{url: 'http://127.0.0.1:{second.port}'}}}}\n"
                 "routes: [{match: {models: [slow]}, upstream: second}, {match: {}, targets: [first, second]}]\n")
    config.flush()
    relay = Millrace("serve", config.name, host="0.0.0.0", port=8080)
    relay.host = "127.0.0.1"
    readers = subprocess.Popen([*clients.prefix, sys.executable, __file__, "_readers", clients.gateway, str(count)], stdout=subprocess.PIPE, text=True)
    try:
        readers.stdout.readline()
        clients.vanish()
        took = wait_until(lambda: json.loads(second.get("/__mock/stats"))["streams_aborted"] == count, 60)
        gone = json.loads(second.get("/__mock/stats"))["streams_aborted"]
        tell(Row("vanished", f"the {count} clients of running streams", f"{relay.rss_mib()} MiB",
                 f"{gone} of {count} noticed" + (f" after {took:.0f} s" if took else " within 60 s"), f"{count - gone} paid for on",
                 took is not None and took <= NOTICE_LIMIT_S))
        pooled = [ask(relay) for _ in range(3)]
        upstreams.vanish()
        status, whole, took = ask(relay, timeout=60)
        tell(Row("vanished", "the upstream of a pooled connection", f"{relay.rss_mib()} MiB",
                 f"the next request: {f'whole from another upstream after {took:.0f} s' if whole else f'status {status} after {took:.0f} s'}",
                 "0" if whole else "1", all(p[1] for p in pooled) and whole and took <= ELSEWHERE_LIMIT_S))
    finally:
        readers.kill()
        for one in (relay, first, second, clients, upstreams): one.stop()


def tell(row): print(json.dumps(row), flush=True)


def readers(host, count):
    """Streams of an event each half second, read until this process ends; says when all run."""
    relay = collections.namedtuple("Relay", "host port")(host, 8080)
    sockets = [connect(relay) for _ in range(count)]
    body = json.dumps({"model": "slow", "stream": True, "messages": []}).encode()
    for s in sockets: s.sendall(request(CHAT, "tokens=1000,gap_ms=500", body=body))
    got = [b""] * count
    while not all(b"data:" in g for g in got):
        for i, s in enumerate(sockets):
            if b"data:" not in got[i]: got[i] += s.recv(65536)
    print("running", flush=True)
    chosen = selectors.DefaultSelector()
    for s in sockets: chosen.register(s, selectors.EVENT_READ)
    while True:
        for key, _ in chosen.select(): key.fileobj.recv(65536)


def outage(quick):
    """An origin that fails and recovers under load, and clients that come and go: JUnit tests, at their full length."""
    maven = ["mvn", "-B", "-ntp", "-q", "-Dstyle.color=never", "test", "-pl", "server", "-am", "-Dtest=OutageDrillTest,StormTest",
             "-Dsurefire.failIfNoSpecifiedTests=false", "-Dfuzz.skip=true"] + ([] if quick else ["-Dmillrace.drill=full"])
    done = subprocess.run(maven, cwd=ROOT, stdout=sys.stderr, check=False)
    sound = done.returncode == 0
    yield Row("outage", "200 streams/s for 30 s, one of two origins fails and recovers; 1,000 clients that leave at random for 20 s",
              "nothing left open", "no client saw an error" if sound else "see the tests' report", "0" if sound else "?", sound)


def restart(quick):
    """Five processes take over from each other under live streams and steady requests."""
    streams, rounds = (200, 5) if quick else (2000, 5)
    directory = tempfile.TemporaryDirectory()
    control = directory.name + "/control.sock"
    config = directory.name + "/millrace.yaml"
    mock = Millrace("mock")
    with open(config, "w") as file:
        file.write(f"accessLog: off\ntransport: epoll\ntakeover: {control}\nupstreams: {{mock: {{url: 'http://127.0.0.1:{mock.port}'}}}}\n"
                   "limits: {connectionsPerAddress: 0, streamsPerAddress: 0}\n")
    processes = [Millrace("serve", config, MILLRACE_WARM_UP="off")]
    relay = processes[0]
    live = Streams(relay, streams, "tokens=400,gap_ms=250")  # 100 s each
    stop, counts = threading.Event(), collections.Counter()
    askers = [threading.Thread(target=asker, args=(relay, kept, stop, counts)) for kept in (False, False, True, True)]
    for thread in askers: thread.start()
    for _ in range(rounds):
        time.sleep(3)
        processes.append(Millrace("serve", config, "--takeover", control, MILLRACE_WARM_UP="off"))
        if processes[-1].port != relay.port: raise SystemExit("drill: it listens elsewhere")
    time.sleep(5)
    stop.set()
    for thread in askers: thread.join()
    whole = live.finish(200)
    gone = wait_until(lambda: all(p.process.poll() == 0 for p in processes[:-1]), 60)
    last = ask(processes[-1])
    sound = whole == streams and not counts["lost"] and gone is not None and last[1]
    yield Row("restart", f"{rounds} take-overs, {streams} live streams, {counts['asked']} requests beside them, half of them on kept connections",
              f"{streams} streams", f"{whole} streams whole, {counts['asked'] - counts['lost']} requests answered, the old processes "
              + ("exited by themselves" if gone is not None else "did not exit"),
              f"{streams - whole} streams, {counts['lost']} requests", sound)
    for process in [*processes, mock]: process.stop()


class Streams:
    """Streams that are read to their ends, on one thread."""

    def __init__(self, relay, count, spec):
        self.count, self.whole, self.left = count, 0, {}
        self.selector = selectors.DefaultSelector()
        for _ in range(count):
            s = connect(relay)
            s.sendall(request(CHAT, spec, "Connection: close\r\n"))
            self.selector.register(s, selectors.EVENT_READ)
            self.left[s] = b""
        self.thread = threading.Thread(target=self.read)
        self.thread.start()

    def read(self):
        while self.left:
            for key, _ in self.selector.select(1):
                s = key.fileobj
                try: part = s.recv(65536)
                except OSError: part = b""
                self.left[s] = (self.left[s] + part)[-64:]
                if not part:
                    self.whole += b"data: [DONE]\n\n" in self.left.pop(s)
                    self.selector.unregister(s)
                    s.close()

    def finish(self, seconds):
        self.thread.join(seconds)
        return self.whole


def asker(relay, kept, stop, counts):
    """Asks again and again: on a connection of its own each time, or on one as long as it is kept."""
    s = None
    while not stop.is_set():
        counts["asked"] += 1
        try:
            if s is None: s = connect(relay)
            s.sendall(request(CHAT, "tokens=3", "" if kept else "Connection: close\r\n"))
            got = b""
            while b"data: [DONE]\n\n" not in got or not got.endswith(b"0\r\n\r\n"):
                part = s.recv(65536)
                if not part: break
                got += part
            if b"data: [DONE]\n\n" not in got: raise OSError("cut")
            if not kept or b"onnection: close" in got: s.close(); s = None
        except OSError as e:
            counts["lost"] += 1
            print("drill: a request was lost:", e, file=sys.stderr)
            s = None
        time.sleep(0.01)


def of(module, name):
    """A drill of another module, which itself needs this one."""
    def run(quick):
        return getattr(importlib.import_module(module), name)(quick)
    return run


DRILLS = {"restart": restart, "rolling": of("drill_deploy", "rolling"), "container": of("drill_deploy", "container"), "stalled": stalled, "trickled": trickled, "vanished": vanished, "bombs": bombs, "endings": endings, "outage": outage, "floods": of("drill_edge", "floods"),
          "fat": of("drill_edge", "fat"), "greedy": of("drill_edge", "greedy"),
          **{name: of("drill_nodes", name) for name in ("cuts", "readers", "deaths", "deploys", "store", "kept")}}


def main(arguments):
    if arguments[:1] == ["_vanished"]: return vanished_inside()
    if arguments[:1] == ["_probe"]: return probe(int(arguments[1]))
    if arguments[:1] == ["_readers"]: return readers(arguments[1], int(arguments[2]))
    names = [a for a in arguments if a != "--quick"] or list(DRILLS)
    for name in names:
        if name not in DRILLS: raise SystemExit(f"drill: unknown drill {name} (expected: {', '.join(DRILLS)})")
    print("| drill | what | held | survived | lost | |\n| --- | --- | --- | --- | --- | --- |", flush=True)
    sound = True
    for name in names:
        for row in DRILLS[name]("--quick" in arguments):
            print("| " + " | ".join([*map(str, row[:-1]), "held" if row.sound else "**broken**"]) + " |", flush=True)
            sound = sound and row.sound
    sys.exit(0 if sound else 1)


if __name__ == "__main__":
    main(sys.argv[1:])
