"""The figures of scripts/resume-figures, which says how to call it: real processes, sockets on loopback, bounded in time."""
import atexit, os, re, selectors, signal, socket, statistics, subprocess, sys, tempfile, time

LAUNCHER = os.environ["MILLRACE"]
QUICK = "--quick" in sys.argv
ROUNDS = int(sys.argv[sys.argv.index("--rounds") + 1]) if "--rounds" in sys.argv else 1 if QUICK else 3
SECONDS = 5 if QUICK else 15
STREAMS, GAP_MS = 200, 20  # 10,000 frames a second
KEY = "Authorization: Bearer sk-figures"
BODY = b'{"model":"m","stream":true,"messages":[]}'
TICK = os.sysconf("SC_CLK_TCK")
MODES = ("off", "memory", "redis", "followed")


# ---------------------------------------------------------------- processes

class Process:
    def __init__(self, command, ready, **environment):
        self.log = tempfile.NamedTemporaryFile("wb", suffix=".log")
        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log, env={**os.environ, **environment}, preexec_fn=os.setpgrp)
        atexit.register(self.stop)
        for _ in range(600):
            found = re.search(ready, self.text())
            if found: break
            if self.process.poll() is not None: raise SystemExit("resume-figures: it did not start: " + self.text()[-400:])
            time.sleep(0.1)
        self.port = int(found.group(1)) if found.groups() else None

    def text(self): return open(self.log.name, errors="replace").read()

    def pids(self):
        todo, found = [self.process.pid], []
        while todo:
            found.append(todo.pop())
            try: todo += [int(p) for p in open(f"/proc/{found[-1]}/task/{found[-1]}/children").read().split()]
            except OSError: pass
        return found

    def cpu(self):
        """Seconds of processor time."""
        total = 0
        for pid in self.pids():
            try: fields = open(f"/proc/{pid}/stat").read().rsplit(") ", 1)[1].split()
            except OSError: continue
            total += int(fields[11]) + int(fields[12])
        return total / TICK

    def stop(self, sign=signal.SIGTERM):
        if self.process.poll() is not None: return
        for pid in self.pids():
            try: os.kill(pid, sign)
            except OSError: pass
        try: self.process.wait(10)
        except subprocess.TimeoutExpired: os.killpg(self.process.pid, signal.SIGKILL)


def mock(): return Process([LAUNCHER, "mock", "--listen", "127.0.0.1:0"], r"listening on http://127\.0\.0\.1:(\d+)")


def free_port():
    with socket.socket() as it:
        it.bind(("127.0.0.1", 0))
        return it.getsockname()[1]


def redis():
    port = free_port()
    its = Process(["redis-server", "--bind", "127.0.0.1", "--port", str(port), "--save", ""], "eady to accept connections")
    its.port = port
    return its


class Relay(Process):
    def __init__(self, upstream, detach=True, store=None):
        self.config = tempfile.NamedTemporaryFile("w", suffix=".yaml")
        self.gc = tempfile.NamedTemporaryFile("r", suffix=".gc")
        self.config.write(f"listen: 127.0.0.1:0\neventLoops: 1\naccessLog: 'off'\nupstreams: {{mock: {{url: 'http://127.0.0.1:{upstream.port}'}}}}\n"
                          f"routes: [{{upstream: mock{', disconnect: detach' if detach else ''}}}]\n")
        if store: self.config.write(f"resume: {{redis: {{url: 'redis://127.0.0.1:{store.port}', secret: {{env: FIGURES}}}}}}\n")
        self.config.flush()
        super().__init__([LAUNCHER, "serve", self.config.name], r"listening on http://127\.0\.0\.1:(\d+)",
                         FIGURES="a secret of thirty-two characters or more", MILLRACE_OPTS=f"-Xmn8m -Xlog:gc:file={self.gc.name}")
        for _ in range(300):
            if not store or " shared: redis" in self.text(): return
            if self.process.poll() is not None: break
            time.sleep(0.1)
        raise SystemExit("resume-figures: the relay does not use Redis: " + self.text()[-400:])

    def allocated(self):
        """Bytes that collections have found allocated so far: the growth from the end of one to the begin of the next."""
        total = after = 0
        for line in open(self.gc.name):
            sizes = re.search(r"(\d+)M->(\d+)M", line)
            if sizes:
                total += max(0, int(sizes[1]) - after)
                after = int(sizes[2])
        return total << 20


# ---------------------------------------------------------------- clients

class Client:
    """A request whose answer is read to measure it: its bytes, its frames, and when the first came."""

    def __init__(self, port, head, body=b""):
        self.frames = self.size = 0
        self.stream = self.first = None
        self.done = False
        self.text, self.arrivals, self.tail = b"", None, b""
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.began = time.perf_counter()
        self.socket.sendall(f"{head} HTTP/1.1\r\nHost: x\r\n{KEY}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
        self.socket.setblocking(False)

    def on_read(self):
        try: data = self.socket.recv(1 << 18)
        except BlockingIOError: return
        except OSError: data = b""
        now = time.perf_counter()
        if not data: self.done = True
        if self.stream is None:
            self.text += data
            found = re.search(rb"(?i)\r\nx-millrace-stream: (\S+)", self.text)
            if found and b"\r\n\r\n" in self.text: self.stream, data = found[1].decode(), self.text.split(b"\r\n\r\n", 1)[1]
            elif b"\r\n\r\n" in self.text: self.stream = ""
            else: return
        if data and self.first is None: self.first = now - self.began
        count = data.count(b"\n\n")
        if self.arrivals is not None: self.arrivals += [now] * count
        self.frames += count
        self.size += len(data)
        self.tail = (self.tail + data)[-400:]
        if self.tail.endswith(b"\r\n0\r\n\r\n"): self.done = True


def post(relay, spec): return Client(relay.port, f"POST /v1/chat/completions?mock={spec.replace(',', '%2C').replace('=', '%3D')}", BODY)
def follow(relay, stream): return Client(relay.port, f"GET /millrace/streams/{stream}")


def read(clients, until, pause=0.0, limit=60):
    """Reads until a condition holds. With a pause between two looks, which is what the client costs."""
    selector, end = selectors.DefaultSelector(), time.perf_counter() + limit
    for each in clients:
        if not each.done: selector.register(each.socket, selectors.EVENT_READ, each)
    while not until():
        if time.perf_counter() > end: raise SystemExit("resume-figures: waited too long")
        for key, _ in selector.select(0.05):
            key.data.on_read()
            if key.data.done: selector.unregister(key.fileobj)
        if pause: time.sleep(pause)
    selector.close()


def read_for(clients, seconds):
    end = time.perf_counter() + seconds
    read(clients, lambda: time.perf_counter() >= end, 0.005)


def close(clients):
    for each in clients: each.socket.close()


# ---------------------------------------------------------------- figures

def cost(mode):
    """Microseconds of processor time a frame: of the node, of the node that follows, of Redis; bytes of heap a frame of the first."""
    upstream, store = mock(), redis() if mode in ("redis", "followed") else None
    one = Relay(upstream, mode != "off", store)
    two = Relay(upstream, True, store) if mode == "followed" else None
    clients = [post(one, f"tokens=100000,gap_ms={GAP_MS}") for _ in range(STREAMS)]
    read(clients, lambda: all(each.stream is not None and each.frames for each in clients))
    readers = [follow(two, each.stream) for each in clients] if two else []
    everyone = clients + readers
    read_for(everyone, SECONDS)  # warm
    measured = [each for each in (one, two, store) if each]
    before, frames, heap = {each: each.cpu() for each in measured}, sum(each.frames for each in clients), one.allocated()
    read_for(everyone, SECONDS)
    frames = sum(each.frames for each in clients) - frames
    used = [(each.cpu() - before[each]) / frames * 1e6 if each else float("nan") for each in (one, two, store)]
    heap = (one.allocated() - heap) / frames
    close(everyone)
    for each in (one, two, store, upstream):
        if each: each.stop()
    return (*used, heap, frames / SECONDS)


def delays(one, two, slow=0):
    """Milliseconds from a frame's arrival at the client of one node to its arrival at a reader of the other, beside so many
    readers of the same stream that take nothing; sorted."""
    clients = [post(one, "tokens=200,gap_ms=20") for _ in range(10)]
    for each in clients: each.arrivals = []
    read(clients, lambda: all(each.frames for each in clients))
    readers = [follow(two, each.stream) for each in clients]
    for each in readers: each.arrivals = []
    others = [follow(two, each.stream) for each in clients for _ in range(slow)]
    read(clients + readers, lambda: all(each.done for each in clients + readers))
    late = [b - a for own, other in zip(clients, readers) for a, b in list(zip(own.arrivals, other.arrivals))[60:-5]]
    close(clients + readers + others)
    return sorted(1000 * each for each in late)


def attach(relay, streams):
    """Milliseconds until the first byte of streams that have ended; sorted."""
    waits = []
    for each in streams:
        reader = follow(relay, each.stream)
        read([reader], lambda: reader.first is not None)
        waits.append(1000 * reader.first)
        close([reader])
    return sorted(waits)


def replay(relay, stream):
    """MB a second of a stream that has ended, read again and again for two seconds."""
    size, begin = 0, time.perf_counter()
    while time.perf_counter() - begin < 2:
        reader = follow(relay, stream)
        read([reader], lambda: reader.done)
        size += reader.size
        close([reader])
    return size / (time.perf_counter() - begin) / 1e6


def death(upstream, store, count, later):
    """Seconds from kill -9 of a node: until all who follow its streams are told, and until many more who ask have an answer."""
    one, two = Relay(upstream, True, store), Relay(upstream, True, store)
    clients = [post(one, "tokens=100000,gap_ms=50") for _ in range(count)]
    read(clients, lambda: all(each.frames for each in clients))
    readers = [follow(two, each.stream) for each in clients]
    read(clients + readers, lambda: all(each.frames for each in readers))
    killed = time.perf_counter()
    one.stop(signal.SIGKILL)
    read(readers, lambda: all(each.done for each in readers))
    told = time.perf_counter() - killed
    assert all(b"relay_lost" in each.tail for each in readers), "a reader was not told"
    begin = time.perf_counter()
    again = [follow(two, clients[i % count].stream) for i in range(later)]
    read(again, lambda: all(each.done for each in again))
    answered = time.perf_counter() - begin
    lost = sum(b"relay_lost" in each.tail for each in again)
    close(clients + readers + again)
    two.stop()
    return told, answered, lost


def middle(values): return statistics.median(values)


def main():
    seen = {mode: [] for mode in MODES}
    for number in range(ROUNDS):
        for mode in MODES if number % 2 == 0 else reversed(MODES):
            seen[mode].append(cost(mode))
            print(f"round {number + 1}, {mode}: relay {seen[mode][-1][0]:.1f} us, other node {seen[mode][-1][1]:.1f} us, "
                  f"Redis {seen[mode][-1][2]:.2f} us, {seen[mode][-1][3]:.0f} B a frame, {seen[mode][-1][4]:.0f} frames/s", file=sys.stderr, flush=True)
    base = middle([each[0] for each in seen["off"]])
    base_heap = middle([each[3] for each in seen["off"]])
    print(f"\n{ROUNDS} rounds of {SECONDS} s, in turns; medians; {STREAMS} streams, {1000 // GAP_MS} frames/s each; one event loop\n")
    print("| | relay, µs of processor time a frame | more than off | other node | Redis | heap a frame, more than off |\n|---|---:|---:|---:|---:|---:|")
    for mode in MODES:
        relay, other, store, heap = (middle([each[i] for each in seen[mode]]) for i in range(4))
        print(f"| {mode} | {relay:.1f} | {relay - base:+.1f} | {other:.1f} | {store:.2f} | {heap - base_heap:+.0f} B |".replace("nan", "–"))
    upstream, store = mock(), redis()
    one, two = Relay(upstream, True, store), Relay(upstream, True, store)
    late, near, beside = delays(one, two), delays(one, one), delays(one, one, 6)
    ended = [post(one, "tokens=20") for _ in range(100)]
    big = post(one, "tokens=12000")
    read([*ended, big], lambda: all(each.done for each in (*ended, big)))
    time.sleep(1)  # Redis has them
    own, other = attach(one, ended), attach(two, ended)
    speed = replay(one, big.stream)
    for each in (one, two): each.stop()
    told, answered, lost = death(upstream, store, 20 if QUICK else 200, 100 if QUICK else 1000)
    for each in (store, upstream): each.stop()
    p = lambda values, part: values[int(part * (len(values) - 1))]
    print(f"""
| | |
|---|---|
| a frame at a reader of the other node, behind the client's | p50 {p(late, .5):.2f} ms, p99 {p(late, .99):.2f} ms |
| the same at a reader of the own node | p50 {p(near, .5):.3f} ms, p99 {p(near, .99):.3f} ms |
| the same beside six readers that take nothing | p50 {p(beside, .5):.3f} ms, p99 {p(beside, .99):.3f} ms |
| the first byte of an ended stream, own node | p50 {p(own, .5):.2f} ms, p99 {p(own, .99):.2f} ms |
| the same at the other node, from Redis | p50 {p(other, .5):.2f} ms, p99 {p(other, .99):.2f} ms |
| replay, one reader at a time in Python | {speed:.0f} MB/s |
| death of a node: all readers told | {told:.1f} s |
| behind that, {100 if QUICK else 1000} requests at once answered | {answered:.1f} s, {lost} of them told of the loss |""")


main()
