"""The figures of scripts/resume-figures, which says how to call it: real processes, sockets on loopback, bounded in time."""
import atexit, glob, multiprocessing, os, re, selectors, signal, socket, statistics, subprocess, sys, tempfile, time, urllib.request

LAUNCHER = os.environ["MILLRACE"]
QUICK = "--quick" in sys.argv
ROUNDS = int(sys.argv[sys.argv.index("--rounds") + 1]) if "--rounds" in sys.argv else 1 if QUICK else 3
SECONDS = 4 if QUICK else 12
STREAMS, GAP_MS = 200, 20  # 10,000 frames a second
KEY = "Authorization: Bearer sk-figures"
BODY = b'{"model":"m","stream":true,"messages":[]}'
MODES = ("off", "redis", "followed")
KINDS = ("off", "kept", "read twice")  # of streams of one process, in turns
STAMP = re.compile(rb"@\d+@(\d{19})@")


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
        """Seconds of processor time, without what compilers of the JVM used: that is no cost of a frame."""
        total = 0
        for pid in self.pids():
            for thread in glob.glob(f"/proc/{pid}/task/*"):
                try: name, ran = open(f"{thread}/comm").read(), int(open(f"{thread}/schedstat").read().split()[0])
                except OSError: continue
                if name[:3] not in ("C1 ", "C2 "): total += ran
        return total / 1e9

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
    def __init__(self, upstream, detach=True, store=None, routes=None, resume=None):
        self.config = tempfile.NamedTemporaryFile("w", suffix=".yaml")
        self.gc = tempfile.NamedTemporaryFile("r", suffix=".gc")
        self.config.write(f"listen: 127.0.0.1:0\neventLoops: 1\naccessLog: 'off'\nupstreams: {{mock: {{url: 'http://127.0.0.1:{upstream.port}'}}}}\n"
                          f"routes: {routes or '[{upstream: mock' + (', disconnect: detach' if detach else '') + '}]'}\n"
                          "limits: {connectionsPerAddress: 0, streamsPerAddress: 0}\n")
        if resume: self.config.write(f"resume: {resume}\n")
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
        self.text, self.arrivals, self.tail, self.late = b"", None, b"", None
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
        if self.late is not None: self.late += [time.monotonic_ns() / 1e6 - int(made) / 1e6 for made in STAMP.findall(data)]
        if self.arrivals is not None: self.arrivals += [now] * count
        self.frames += count
        self.size += len(data)
        self.tail = (self.tail + data)[-400:]
        if self.tail.endswith(b"\r\n0\r\n\r\n"): self.done = True


def post(relay, spec, model="m"):
    return Client(relay.port, f"POST /v1/chat/completions?mock={spec.replace(',', '%2C').replace('=', '%3D')}", BODY.replace(b'"m"', f'"{model}"'.encode()))


def follow(relay, stream, offset=0): return Client(relay.port, f"GET /millrace/streams/{stream}?offset={offset}")


def metric(relay, name):
    """The sum of a metric's values."""
    with urllib.request.urlopen(f"http://127.0.0.1:{relay.port}/metrics", timeout=20) as answer:
        return sum(float(line.rsplit(" ", 1)[1]) for line in answer.read().decode().splitlines() if line.startswith(name))


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


def in_turns():
    """One process whose streams are in turns not kept, kept, and read by a second client too: microseconds of processor time a
    frame by kind, milliseconds from the making of a frame to its client by kind, and the bytes that are held for each byte kept."""
    upstream = mock()
    relay = Relay(upstream, routes="[{match: {models: [off]}, upstream: mock}, {upstream: mock, disconnect: {policy: detach, maxTime: 0s}}]", resume="{keep: 1s}")
    costs, lates, held = {kind: [] for kind in KINDS}, {kind: [] for kind in KINDS}, []
    for turn in range(len(KINDS) * (2 if QUICK else 10)):  # the first of each kind warms up
        kind = KINDS[turn % len(KINDS)]
        before = metric(relay, "millrace_replay_bytes ")
        clients = [post(relay, f"tokens=100000,gap_ms={GAP_MS}", "off" if kind == "off" else "m") for _ in range(STREAMS)]
        read(clients, lambda: all(each.stream is not None and each.frames for each in clients))
        readers = [follow(relay, each.stream) for each in clients] if kind == "read twice" else []
        read_for(clients + readers, 1)
        cpu, frames = relay.cpu(), sum(each.frames for each in clients)
        read_for(clients + readers, SECONDS / 4)
        frames = sum(each.frames for each in clients) - frames
        if turn >= len(KINDS): costs[kind].append((relay.cpu() - cpu) / frames * 1e6)
        if kind == "kept": held.append((metric(relay, "millrace_replay_bytes ") - before - 16384 * STREAMS) / sum(each.size - 7 * each.frames for each in clients))
        close(clients + readers)
        few = [post(relay, f"tokens=100000,gap_ms={GAP_MS},stamp=1", "off" if kind == "off" else "m") for _ in range(10)]
        read(few, lambda: all(each.frames for each in few))
        for each in few: each.late = []
        end = time.perf_counter() + 1
        read(few, lambda: time.perf_counter() >= end)
        if turn >= len(KINDS): lates[kind] += [late for each in few for late in each.late]
        close(few)
    for each in (relay, upstream): each.stop()
    return costs, lates, max(held)


def replay(relay, stream):
    """MB of a stream that has ended and is read again and again for two seconds: each second, and each second of processor time."""
    size, begin, cpu, buffer = 0, time.perf_counter(), relay.cpu(), bytearray(1 << 20)
    while time.perf_counter() - begin < 2:
        reader = follow(relay, stream)
        reader.socket.settimeout(20)
        tail = b""
        while tail != b"0\r\n\r\n" and (got := reader.socket.recv_into(buffer)):
            tail = (tail + buffer[max(0, got - 5):got])[-5:]
            size += got
        close([reader])
    return size / (time.perf_counter() - begin) / 1e6, size / (relay.cpu() - cpu) / 1e6


def watch_live(relay, told):
    """In a process of its own, for the many clients of the other one not to delay it: reads live streams until it is told to
    end, and tells when each frame came, and how many milliseconds after it was made."""
    live = [post(relay, "tokens=100000,gap_ms=100,stamp=1") for _ in range(20)]
    read(live, lambda: all(each.frames for each in live))
    told.send(None)
    lates = []
    def over():
        for each in live:
            lates.extend((time.perf_counter(), late) for late in each.late or ())
            each.late = []
        return told.poll()
    read(live, over)
    told.send(lates)
    os._exit(0)  # its files are those of the other process


def death(upstream, store, count, later):
    """Seconds from kill -9 of a node: until many who ask at once have an answer, and until all who follow its streams are told.
    Meanwhile the cores that Redis used, and the delays of live streams of the other node at p99, before and then."""
    one, two = Relay(upstream, True, store), Relay(upstream, True, store)
    told, live = multiprocessing.Pipe()
    watch = multiprocessing.get_context("fork").Process(target=watch_live, args=(two, live), daemon=True)
    watch.start()
    told.recv()
    clients = [post(one, "tokens=100000,gap_ms=50") for _ in range(count)]
    read(clients, lambda: all(each.frames for each in clients))
    readers = [follow(two, each.stream) for each in clients]
    read(clients + readers, lambda: all(each.frames for each in readers))
    read_for(clients + readers, 5)
    used, killed = store.cpu(), time.perf_counter()
    one.stop(signal.SIGKILL)
    again = [follow(two, clients[i % count].stream) for i in range(later)]
    read(again + readers, lambda: all(each.stream is not None for each in again))
    answered = time.perf_counter() - killed
    used = (store.cpu() - used) / answered
    read(again + readers, lambda: all(each.done for each in again + readers))
    gone = time.perf_counter() - killed
    told.send(None)
    lates = told.recv()
    watch.join()
    before = [late for at, late in lates if killed - 4 <= at < killed]
    then = [late for at, late in lates if killed <= at < killed + max(1, answered)]
    assert all(b"relay_lost" in each.tail for each in again + readers), "a reader was not told"
    close(clients + readers + again)
    two.stop(signal.SIGKILL)
    return gone, answered, used, part(before, .99), part(then, .99)


def middle(values): return statistics.median(values)
def part(values, share): return sorted(values)[int(share * (len(values) - 1))] if values else float("nan")
def spread(values): return f"{middle(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def differences(values, base): return [a - b for a, b in zip(values, base)]


def deaths():
    """Only the death of a node, again and again, a line each."""
    upstream, store = mock(), redis()
    for _ in range(ROUNDS):
        told, answered, used, calm, then = death(upstream, store, 200, 1000)
        print(f"all told after {told:.1f} s; 1,000 clients answered after {answered:.2f} s; live streams' delay at p99 {then:.1f} ms, before {calm:.1f} ms", flush=True)
    for each in (store, upstream): each.stop()


def main():
    if "--only-death" in sys.argv: return deaths()
    begun = time.perf_counter()
    costs, lates, held = in_turns()
    print(f"in turns after {time.perf_counter() - begun:.0f} s: " + ", ".join(f"{kind} {spread(its)} us" for kind, its in costs.items()), file=sys.stderr, flush=True)
    seen = {mode: [] for mode in MODES}
    for number in range(ROUNDS):
        for mode in MODES if number % 2 == 0 else reversed(MODES):
            seen[mode].append(cost(mode))
            print(f"round {number + 1}, {mode}: relay {seen[mode][-1][0]:.1f} us, other node {seen[mode][-1][1]:.1f} us, "
                  f"Redis {seen[mode][-1][2]:.2f} us, {seen[mode][-1][3]:.0f} B a frame, {seen[mode][-1][4]:.0f} frames/s", file=sys.stderr, flush=True)
    upstream, store = mock(), redis()
    one, two = Relay(upstream, True, store), Relay(upstream, True, store)
    late, near, beside = delays(one, two), delays(one, one), delays(one, one, 6)
    ended = [post(one, "tokens=20") for _ in range(100)]
    big = post(one, "tokens=12000")
    read([*ended, big], lambda: all(each.done for each in (*ended, big)))
    time.sleep(1)  # Redis has them
    own, other = attach(one, ended), attach(two, ended)
    speed, speed_cpu = replay(one, big.stream)
    for each in (one, two): each.stop(signal.SIGKILL)
    later = 100 if QUICK else 1000
    told, answered, used, calm, then = death(upstream, store, 20 if QUICK else 200, later)
    for each in (store, upstream): each.stop()
    relay, elsewhere, stores, heap = ({mode: [each[i] for each in seen[mode]] for mode in MODES} for i in range(4))
    more = {mode: differences(relay[mode], relay["off"]) for mode in MODES}
    garbage = {mode: middle(heap[mode]) - middle(heap["off"]) for mode in MODES}
    kept, twice = differences(costs["kept"], costs["off"]), differences(costs["read twice"], costs["kept"])
    print(f"\n{ROUNDS} rounds of {SECONDS} s, in turns; {STREAMS} streams of {1000 // GAP_MS} frames/s, one event loop; medians (least to most). "
          f"Processor time is in µs a frame. {'A quick look, no figures. ' if QUICK else ''}{time.perf_counter() - begun:.0f} s in all.\n")
    print("| | target | measured | |\n| --- | ---: | ---: | --- |")
    for what, target, measured, reached in (
        ("not kept", "–", f"{spread(costs['off'])} µs", True),
        ("kept, nobody resumes: more processor time, same process", "≤ 0.3 µs", f"{spread(kept)} µs", middle(kept) <= 0.3),
        ("kept: memory for each byte, beside 16 KiB a stream", "≤ 1.05", f"{held:.2f}", held <= 1.05),
        ("kept: a frame from its upstream to its client", "as not kept", f"p50 {part(lates['kept'], .5):.2f} ms, p99 {part(lates['kept'], .99):.2f} ms; "
         f"not kept {part(lates['off'], .5):.2f} ms, {part(lates['off'], .99):.2f} ms", part(lates["kept"], .5) <= 1.1 * part(lates["off"], .5) + 0.05),
        ("a second reader of each stream", "≤ not kept", f"{spread(twice)} µs", middle(twice) <= middle(costs["off"])),
        ("with Redis, nobody follows: more than off", "≤ 2.5 µs", f"{spread(more['redis'])} µs", middle(more["redis"]) <= 2.5),
        ("the same: Redis", "≤ 1.3 µs", f"{spread(stores['redis'])} µs", middle(stores["redis"]) <= 1.3),
        ("the same: heap a frame, more than off", "≤ 500 B", f"{garbage['redis']:.0f} B", garbage["redis"] <= 500),
        ("followed from another node: more than off", "≤ 6 µs", f"{spread(more['followed'])} µs", middle(more["followed"]) <= 6),
        ("the same: the other node", "–", f"{spread(elsewhere['followed'])} µs", True),
        ("the same: Redis", "≤ 5 µs", f"{spread(stores['followed'])} µs", middle(stores["followed"]) <= 5),
        ("a frame at a reader of the other node, behind the client's", "p50 ≤ 2 ms", f"p50 {part(late, .5):.2f} ms, p99 {part(late, .99):.2f} ms", part(late, .5) <= 2),
        ("a frame at a second reader, beside six that take nothing", "within 10%", f"p50 {part(beside, .5):.3f} ms; alone {part(near, .5):.3f} ms", abs(part(beside, .5) - part(near, .5)) <= max(0.1 * part(near, .5), 0.05)),
        ("first byte of an ended stream, own node", "p50 ≤ 1 ms", f"p50 {part(own, .5):.2f} ms, p99 {part(own, .99):.2f} ms", part(own, .5) <= 1),
        ("the same, from Redis", "p50 ≤ 3 ms", f"p50 {part(other, .5):.2f} ms, p99 {part(other, .99):.2f} ms", part(other, .5) <= 3),
        ("replay, each second of the event loop", "≥ 500 MB", f"{speed_cpu:.0f} MB; {speed:.0f} MB/s to one reader in Python", speed_cpu >= 500),
        ("death of a node: all readers told", "≤ 10 s", f"{told:.1f} s", told <= 10),
        (f"{later} clients come back at once: all answered", "≤ 3 s", f"{answered:.2f} s", answered <= 3),
        ("the same: Redis", "≤ 1 core", f"{used:.2f} cores", used <= 1),
        ("the same: live streams' delay at p99", "< 2 times", f"{then:.1f} ms, before {calm:.1f} ms", then < 2 * calm),
    ): print(f"| {what} | {target} | {measured} | {'' if reached else 'not reached'} |".replace("nan", "–"))


main()
