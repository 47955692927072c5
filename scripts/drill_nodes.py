"""Drills of scripts/drill about streams that are kept: cuts of all kinds, slow readers, and what several nodes do with Redis."""
import asyncio, collections, concurrent.futures, contextlib, itertools, json, math, os, random, re, signal, socket, struct, subprocess, sys, tempfile, time
from drill import CHAT, Millrace, Row, children, in_network, in_own_network, wait_until

KEY = "Authorization: Bearer sk-drill\r\n"
BODY = b'{"model":"m","stream":true,"messages":[]}'
STAMP = re.compile(rb"@(\d+)@(\d{19})@")
SECRET = "a secret of thirty-two characters or more"
TOLD_LIMIT_S = 10  # from the death of a node until its readers know
ANSWERED_LIMIT_S = 3
RESYNC_LIMIT_S = 2
SLOWER = 1.2  # the delays of live streams while Redis fails, against those before
SHARED_P99_MS = 5  # what such a delay may have more at p99, because clients, nodes and Redis share the processors
DONE = b"data: [DONE]\n\n"
SHARED_P50_MS = 0.05  # and what it may have more at p50: less is noise
FIREWALL = concurrent.futures.ThreadPoolExecutor(1)  # one change at a time, and no client waits for it
OWN_PORTS = []  # where clients get their ports from: none may have that of a client which the firewall silences


# ---------------------------------------------------------------- processes

class Redis:
    """Debian's redis-server on a free port. It keeps nothing on disk."""

    def __init__(self, *settings):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.settings, self.directory = settings, tempfile.TemporaryDirectory()
        self.start()

    def start(self):
        self.process = subprocess.Popen(["redis-server", "--bind", "127.0.0.1", "--port", str(self.port), "--save", "", "--dir", self.directory.name,
                                         "--repl-diskless-sync-delay", "0", *self.settings], stdout=subprocess.DEVNULL, preexec_fn=os.setpgrp)
        if wait_until(lambda: self.answers(), 10) is None: raise SystemExit("drill: redis-server did not start")

    def answers(self):
        try: return self.command("PING").startswith("+PONG")
        except OSError: return False

    def command(self, *words):
        """The answer as Redis sends it."""
        with socket.create_connection(("127.0.0.1", self.port), 10) as s:
            s.sendall((" ".join(words) + "\r\n").encode())
            return s.recv(1 << 20).decode(errors="replace")

    def keys(self): return int(self.command("DBSIZE")[1:])

    def cpu(self):
        fields = open(f"/proc/{self.process.pid}/stat").read().rsplit(") ", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def send(self, sign): os.kill(self.process.pid, sign)

    def stop(self):
        self.process.kill()
        self.process.wait()


class Node(Millrace):
    """A relay that keeps its streams, alone or with Redis."""

    def __init__(self, mock, store=None, port=0, resume="", detach="detach", timeouts=""):
        self.file = tempfile.NamedTemporaryFile("w", suffix=".yaml")
        redis = f"redis: {{url: 'redis://127.0.0.1:{store.port}', secret: {{env: DRILL_SECRET}}}}" if store else ""
        self.file.write(f"listeners: [{{address: '127.0.0.1:{port}'}}, {{address: '127.0.0.1:0', serves: [health, metrics]}}]\naccessLog: 'off'\n"
                        f"upstreams: {{mock: {{url: 'http://127.0.0.1:{mock.port}'}}}}\n{timeouts}"
                        f"limits: {{connectionsPerAddress: 0, streamsPerAddress: 0}}\nhttp2: {{wastedPerAddress: 0}}\n"
                        f"resume: {{{', '.join(part for part in (redis, resume) if part)}}}\nroutes: [{{upstream: mock, disconnect: {detach}}}]\n")
        self.file.flush()
        super().__init__("serve", self.file.name, listen=False, DRILL_SECRET=SECRET, MILLRACE_WARM_UP="off")
        if store and wait_until(lambda: self.replay("store_up") == 1, 20) is None: raise SystemExit("drill: a node does not use Redis")

    def replay(self, name): return sum(v for k, v in self.metrics().items() if k.startswith("millrace_replay_" + name))

    def signal(self, sign):
        for pid in children(self.process.pid): os.kill(pid, sign)

    def stop(self, gently=False):
        """At once, because streams without a client would go on; or as a deploy does it."""
        if not gently and self.process.poll() is None: self.signal(signal.SIGKILL)
        super().stop()


LOOKS = collections.Counter()  # the mock counts them, too


def stats(mock):
    LOOKS[mock] += 1
    return json.loads(mock.get("/__mock/stats"))


def asked(mock): return stats(mock)["requests"] - LOOKS[mock]


# ---------------------------------------------------------------- clients

class Response(asyncio.Protocol):
    """One response: its status, its fields, its body as far as it came, and how it ended."""

    def __init__(self, head, body, keep, delays, rate):
        self.request = head.encode() + body
        self.buffer, self.left, self.status, self.fields = bytearray(), 0, None, {}
        self.body, self.keep, self.tail, self.size, self.delays, self.rate = bytearray(), keep, b"", 0, delays, rate
        self.whole, self.answered, self.over, self.more = False, asyncio.Event(), asyncio.Event(), asyncio.Event()

    def connection_made(self, transport):
        self.transport = transport
        transport.write(self.request)

    def data_received(self, data):
        self.buffer += data
        if self.status is None and not self.read_head(): return
        self.read_body()
        if self.rate and not self.over.is_set():
            self.transport.pause_reading()
            asyncio.get_running_loop().call_later(len(data) / self.rate, self.go_on)
        self.more.set()

    def go_on(self):
        if not self.transport.is_closing(): self.transport.resume_reading()

    def read_head(self):
        at = self.buffer.find(b"\r\n\r\n")
        if at < 0: return False
        lines = bytes(self.buffer[:at]).decode().split("\r\n")
        del self.buffer[:at + 4]
        self.status, self.fields = int(lines[0].split()[1]), {k.lower(): v.strip() for k, v in (line.split(":", 1) for line in lines[1:])}
        self.answered.set()
        return True

    def read_body(self):
        if "transfer-encoding" not in self.fields:
            self.on_bytes(bytes(self.buffer))
            self.buffer.clear()
            if self.size >= int(self.fields.get("content-length", 0)): self.end(True)
            return
        while self.buffer and not self.over.is_set():
            if self.left:
                part, before = bytes(self.buffer[:self.left]), self.left
                del self.buffer[:len(part)]
                self.left -= len(part)
                self.on_bytes(part[:len(part) - min(2, before) + min(2, self.left)])  # a chunk ends with CRLF
                continue
            at = self.buffer.find(b"\r\n")
            if at < 0: return
            self.left = int(self.buffer[:at], 16) + 2
            del self.buffer[:at + 2]
            if self.left == 2: self.end(True)

    def on_bytes(self, part):
        if not part: return
        self.size += len(part)
        self.tail = (self.tail + part)[-700:]
        if self.keep: self.body += part
        if self.delays is not None and (stamps := STAMP.findall(part)): self.delays.append((time.monotonic_ns() - int(stamps[-1][1])) / 1e6)

    def end(self, whole):
        self.whole = self.whole or whole
        for event in (self.answered, self.over, self.more): event.set()
        self.transport.close()

    def connection_lost(self, _): self.end(False)

    async def until(self, size):
        """Waits until so much of the body has come, or its end."""
        while self.size < size and not self.over.is_set():
            self.more.clear()
            await asyncio.wait_for(self.more.wait(), 60)
        return self

    def reset(self):
        if self.over.is_set(): return
        self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()


async def send(node, method, path, body=b"", more="", keep=True, delays=None, rate=0, buffer=None):
    """Sends a request, and waits for the head of its answer."""
    head = f"{method} {path} HTTP/1.1\r\nHost: drill\r\nConnection: close\r\nContent-Length: {len(body)}\r\n{KEY}{more}\r\n"
    s = socket.socket()
    s.setblocking(False)
    if OWN_PORTS: s.bind(("127.0.0.1", next(OWN_PORTS[0])))
    if buffer: s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(s, ("127.0.0.1", node.port))
    _, response = await loop.create_connection(lambda: Response(head, body, keep, delays, rate), sock=s)
    await asyncio.wait_for(response.answered.wait(), 60)
    return response


async def ask(node, spec, more="", **kinds): return await send(node, "POST", CHAT, BODY, f"x-mock: {spec}\r\n{more}", **kinds)


async def follow(node, stream, more="", offset=0, **kinds):
    return await send(node, "GET", f"/millrace/streams/{stream}" + (f"?offset={offset}" if offset else ""), more=more, **kinds)


def id_of(response): return response.fields["x-millrace-stream"]


def percentile(values, part): return sorted(values)[int(part * (len(values) - 1))] if values else float("nan")


async def settle(condition, seconds):
    """Seconds until a condition holds, or None. Looks in another thread, because clients go on meanwhile."""
    begun = time.monotonic()
    while time.monotonic() - begun < seconds:
        if await asyncio.to_thread(condition): return time.monotonic() - begun
        await asyncio.sleep(0.02)


@contextlib.contextmanager
def running(*processes):
    """Stops what a drill has started."""
    open_ = list(processes)
    try: yield open_.append
    finally:
        for each in reversed(open_): each.stop()


# ---------------------------------------------------------------- clients that are cut, and clients that are slow

def cuts(quick):
    """Streams that are cut again and again: by FIN, by RST, and by packets that are dropped, in a network of their own."""
    if os.geteuid() != 0:
        print("drill: dropped packets need root", file=sys.stderr)
        return
    yield from in_own_network("cuts", 1, __file__, "_cuts", "50" if quick else "500")


async def silence(response):
    """From now on the firewall drops all packets of its connection, in both directions, also its FIN."""
    response.transport.pause_reading()
    port = response.transport.get_extra_info("sockname")[1]
    rules = "*filter\n" + "".join(f"-A INPUT -p tcp --{side} {port} -j DROP\n" for side in ("dport", "sport")) + "COMMIT\n"
    await asyncio.get_running_loop().run_in_executor(FIREWALL, lambda: subprocess.run(["iptables-restore", "--noflush"], input=rules.encode(), check=True))


async def cut(response, chance, tally):
    """Cuts it in one of three ways."""
    kind = "whole" if response.over.is_set() else chance.choice(("fin", "rst", "silence"))
    tally[kind] += 1
    if kind == "fin": response.transport.close()
    if kind == "rst": response.reset()
    if kind == "silence": await silence(response)


async def cut_again(node, number, tally):
    """One client. Says what it has at the end, if that is one whole stream."""
    chance, got = random.Random(number), bytearray()
    response = await ask(node, "tokens=40,stamp=1,gap_ms=uniform:0-40")
    stream = id_of(response)
    for cuts_left in range(chance.randint(1, 5), -1, -1):
        way = chance.choice(("offset", "ids", "replay"))
        if not cuts_left: await response.until(1 << 30)
        else: await response.until(chance.randrange(1, 3_000))
        took = response.body if response.over.is_set() else response.body[:chance.randrange(len(response.body) + 1)]
        take(got, bytes(took), response.way if hasattr(response, "way") else "offset")
        if not cuts_left: break
        await cut(response, chance, tally)
        if way == "ids":
            got = got[:got.rfind(b"\n\n") + 2] if b"\n\n" in got else bytearray()
            response = await follow(node, stream, f"Last-Event-ID: {len(got)}\r\n")
        else: response = await follow(node, stream, offset=len(got) if way == "offset" else 0)
        response.way = way
        if response.status == 204: break
        if response.status != 200: return None
    again = await (await follow(node, stream)).until(1 << 30)
    stamps = STAMP.findall(bytes(got))
    exact = again.whole and again.body == got and [int(n) for n, _ in stamps] == list(range(40))
    return stamps[0] if exact else None


def take(got, part, way):
    """Adds what a response had: by its offset, with its ids taken out, or what is behind that which was there."""
    if way == "replay":
        if bytes(got[:len(part)]) != part[:len(got)]: got += b"not the same"
        got += part[len(got):]
    elif way == "ids":
        for event in part.split(b"\n\n")[:-1]: got += re.sub(rb"\nid: \d+$", b"", event) + b"\n\n"
    else: got += part


def cuts_inside(count):
    in_network("ip", "link", "set", "lo", "up")
    OWN_PORTS.append(itertools.count(10_000))
    with running(mock := Millrace("mock")) as also:
        also(node := Node(mock, resume="readers: 8"))
        tally = collections.Counter()

        async def everyone():
            places = asyncio.Semaphore(32)

            async def one(number):
                async with places: return await cut_again(node, number, tally)
            return await asyncio.gather(*(one(i) for i in range(count)))
        ends = asyncio.run(everyone())
        exact, times = len({end for end in ends if end}), asked(mock)
        print(json.dumps(Row("cuts", f"{count} streams, cut at random bytes one to five times", f"{tally['fin']} FIN, {tally['rst']} RST, {tally['silence']} silent",
                             f"{exact} exact to the byte", f"{count - exact} streams; the upstream was asked {times} times", exact == count == times)), flush=True)


def readers(quick):
    """Streams that two fast readers and six slow ones follow: what the slow ones cost the fast ones, and how they end."""
    streams, rounds, seconds = (5, 2, 2) if quick else (10, 5, 4)
    with running(mock := Millrace("mock")) as also:
        also(node := Node(mock, resume="bytes: 256KiB, readers: 12"))
        yield asyncio.run(beside_slow_ones(mock, node, streams, rounds, seconds))


async def beside_slow_ones(mock, node, streams, rounds, seconds):
    frames = int((2 * rounds + 4) * seconds * 50)
    clients = [await ask(node, f"tokens={frames},gap_ms=20,stamp=1") for _ in range(streams)]
    fast = [await follow(node, id_of(each), delays=[]) for each in clients for _ in range(2)]
    await asyncio.sleep(seconds)
    seen, slow = {False: [], True: []}, []
    for turn in range(2 * rounds):
        with_slow = turn % 2 == 1
        beside = [await joins(node, id_of(each), rate) for each in clients for rate in (1, 10, 100, 1_000, 5_000, 20_000)] if with_slow else []
        for each in fast: each.delays.clear()
        await asyncio.sleep(seconds)
        seen[with_slow].append(percentile([d for each in fast for d in each.delays], .5))
        slow += beside[:len(beside) if turn == 2 * rounds - 1 else 0]
        for each in beside:
            if each not in slow: each.transport.abort()
        await asyncio.sleep(0.5)
    whole = [each.body for each in clients]
    for each in clients + fast: await each.until(1 << 30)
    alone, beside = percentile(seen[False], .5), percentile(seen[True], .5)
    same = sum(each.body == whole[i // 2] and each.whole for i, each in enumerate(fast))
    ends = collections.Counter()
    for i, each in enumerate(slow):
        each.rate = 0
        each.go_on()
        await each.until(1 << 30)
        mine = whole[i // 6][int(each.fields["x-millrace-offset"]):]
        again = None if each.whole else (await follow(node, id_of(clients[i // 6]), offset=len(whole[i // 6]) - len(mine) + each.size)).status
        ends["whole" if each.whole and each.body == mine else "cut, then 410" if mine.startswith(each.body) and again == 410 else "wrong"] += 1
    times = asked(mock)
    return Row("readers", f"{streams} streams of 50 frames/s, each with two fast readers and in turns with six of 1 B/s to 20 kB/s",
               f"median delay of a frame {alone:.3f} ms without the slow ones, {beside:.3f} ms beside them",
               f"{same} of {len(fast)} fast ones whole; slow ones: " + ", ".join(f"{n} {w}" for w, n in ends.most_common()),
               f"{len(fast) - same} fast ones, {ends['wrong']} slow ones; the upstream was asked {times} times",
               same == len(fast) and not ends["wrong"] and times == streams and beside - alone <= max(0.1 * alone, SHARED_P50_MS))


async def joins(node, stream, rate):
    """A slow reader, from where the stream is now."""
    tail = int((await send(node, "HEAD", f"/millrace/streams/{stream}")).fields["x-millrace-tail"])
    return await follow(node, stream, offset=tail, rate=rate, buffer=4096)


# ---------------------------------------------------------------- nodes that die, and nodes that stand still

def deaths(quick):
    """kill -9 of a node, with a client and a follower for each stream, and many that come back at once; then a node that stands still."""
    streams = 20 if quick else 200
    with running(mock := Millrace("mock"), store := Redis()) as also:
        also(two := Node(mock, store))
        also(one := Node(mock, store))
        yield asyncio.run(killed(mock, store, one, two, streams, 5 * streams))
    with running(mock := Millrace("mock"), store := Redis()) as also:
        also(two := Node(mock, store))
        also(one := Node(mock, store))
        yield asyncio.run(stood_still(mock, one, two, streams // 4))


async def killed(mock, store, one, two, count, later):
    live = [await ask(two, "tokens=100000,gap_ms=100,stamp=1", keep=False, delays=[]) for _ in range(50)]
    clients = [await ask(one, "tokens=100000,gap_ms=100") for _ in range(count)]
    ids = [id_of(each) for each in clients]
    followers = await asyncio.gather(*(follow(two, each) for each in ids))
    for each in followers: await each.until(1_000)
    await asyncio.sleep(5)
    before = [d for each in live for d in each.delays]
    for each in live: each.delays.clear()
    cpu, killed_at = store.cpu(), time.monotonic()
    one.signal(signal.SIGKILL)

    async def back(number):
        """A client that comes back at once, with what it had: the stream's own one, or a new one."""
        own = clients[number % count]
        offset = own.size if number < count else 0
        try: answer = await follow(two, ids[number % count], offset=offset)
        except (OSError, asyncio.TimeoutError): return None
        return answer, time.monotonic() - killed_at
    came = [each for each in await asyncio.gather(*(back(i) for i in range(later))) if each]
    answered = max((each[1] for each in came), default=math.inf)
    used = (store.cpu() - cpu) / (time.monotonic() - killed_at)
    p99 = percentile([d for each in live for d in each.delays], .99)
    for each in followers + [each[0] for each in came]: await each.until(1 << 30)
    told = time.monotonic() - killed_at
    texts = [bytes(each.body) for each in followers]
    third = [await (await follow(two, each)).until(1 << 30) for each in ids]
    good = sum(is_told(own, each) and later_one.body == each.body for own, each, later_one in zip(clients, followers, third))
    good_back = sum(answer.whole and b"relay_lost" in answer.tail and DONE not in answer.tail for answer, _ in came)
    freed = await settle(lambda: stats(mock)["active_streams"] == len(live), 5)
    alive = sum(not each.over.is_set() for each in live)
    for each in live: each.transport.abort()
    sound = good == count == len(texts) and good_back == later and told <= TOLD_LIMIT_S and answered <= ANSWERED_LIMIT_S and used <= 1 and freed is not None and alive == len(live)
    return Row("deaths", f"kill -9 of a node with {count} streams, each with a client, a follower at another node and one that comes after; {later} come back at once",
               f"{len(came)} answered after {answered:.1f} s, Redis {used:.2f} cores meanwhile; live streams of the other node p99 {percentile(before, .99):.1f} ms before, {p99:.1f} ms then",
               f"{good} of {count} followers told, {good_back} of those who came back, all after {told:.1f} s; the upstream "
               + ("was freed" if freed is not None else "was not freed"),
               f"{count - good} followers, {later - good_back} who came back, {len(live) - alive} live streams", sound)


def is_told(client, follower):
    """Whether the follower has a part of what the client has, or more, and then the error event and a clean end."""
    text = bytes(follower.body)
    at = text.rfind(b"\n\ndata: ", 0, text.rfind(b"relay_lost")) + 2
    prefix, own = text[:at], bytes(client.body)
    return follower.whole and b"relay_lost" in text and DONE not in text and (own.startswith(prefix) or prefix.startswith(own))


async def stood_still(mock, one, two, count):
    clients = [await ask(one, "tokens=250,gap_ms=100") for _ in range(count)]
    ids = [id_of(each) for each in clients]
    followers = await asyncio.gather(*(follow(two, each) for each in ids))
    for each in followers: await each.until(1_000)
    began = time.monotonic()
    one.signal(signal.SIGSTOP)
    for each in followers: await each.until(1 << 30)
    told = time.monotonic() - began
    await asyncio.sleep(max(0, 10 - told))
    one.signal(signal.SIGCONT)
    for each in clients: await each.until(1 << 30)
    fenced = int(one.replay("store_fenced_total"))
    whole = sum(each.whole and each.tail.endswith(DONE) for each in clients)
    good = sum(is_told(own, each) for own, each in zip(clients, followers))
    again = [await (await follow(two, each)).until(1 << 30) for each in ids]
    same = sum(each.body == follower.body for each, follower in zip(again, followers))
    own = [await (await follow(one, each)).until(1 << 30) for each in ids]
    kept = sum(each.body == client.body for each, client in zip(own, clients))
    times = asked(mock)
    return Row("deaths", f"a node with {count} streams stands still for {time.monotonic() - began if told > 10 else 10:.0f} s (SIGSTOP), then goes on", f"{fenced} streams fenced",
               f"{good} followers at another node told after {told:.1f} s, {same} later ones the same; {whole} of its own clients whole, {kept} read again",
               f"{count - good} followers, {count - whole} clients; the upstream was asked {times} times",
               good == same == whole == kept == fenced == count == times and told <= TOLD_LIMIT_S)


# ---------------------------------------------------------------- a deploy of two nodes

def deploys(quick):
    """Two nodes that are restarted one after the other, twice, under clients that are cut and go on wherever a node answers."""
    with running(mock := Millrace("mock"), store := Redis()):
        ports = []
        for _ in range(2):
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                ports.append(free.getsockname()[1])
        with contextlib.ExitStack() as last:
            nodes = []
            for i, port in enumerate(ports):
                nodes.append(Node(mock, store, port, timeouts="timeouts: {drain: 30s}\n"))
                last.callback(lambda i=i: nodes[i].stop())  # whichever has the port by then
            yield asyncio.run(rolled(mock, store, nodes, ports, 20 if quick else 100))


async def rolled(mock, store, nodes, ports, count):
    tally, until, chance = collections.Counter(), [True], random.Random(1)

    async def client():
        while until[0]:
            tally["asked"] += 1
            name = f"Idempotency-Key: {chance.getrandbits(128):032x}\r\n"
            body = await one(name)
            tally["whole" if body.endswith(DONE) and [int(n) for n, _ in STAMP.findall(body)] == list(range(60)) else "lost"] += 1

    async def anywhere(call):
        """Asks a node, and the other one if that does not answer or sends away."""
        for attempt in range(200):
            try:
                answer = await call(collections.namedtuple("At", "port")(chance.choice(ports)))
                if answer.status in (200, 204): return answer
                tally[f"status {answer.status}"] += 1
            except OSError: tally["refused"] += 1
            await asyncio.sleep(0.1)
        return None

    async def one(name):
        response = await anywhere(lambda at: ask(at, "tokens=60,gap_ms=50,stamp=1", name))
        if response is None: return b""
        stream, got = id_of(response), bytearray()
        while True:
            whole = chance.random() < 0.5
            await response.until(1 << 30 if whole else chance.randrange(500, 15_000))
            got += response.body
            if response.whole: return bytes(got)
            if not response.over.is_set(): response.reset()
            tally["cut"] += 1
            response = await anywhere(lambda at: follow(at, stream, offset=len(got)))
            if response is None or response.status == 204: return bytes(got)
    clients = [asyncio.create_task(client()) for _ in range(count)]
    await asyncio.sleep(2)
    for i in (0, 1, 0, 1):
        old = nodes[i]
        await asyncio.to_thread(old.stop, True)
        nodes[i] = await asyncio.to_thread(Node, mock, store, ports[i], timeouts="timeouts: {drain: 30s}\n")
        await asyncio.sleep(1)
    until[0] = False
    await asyncio.gather(*clients)
    paid = asked(mock)
    sent_away = ", ".join(f"{n} {w}" for w, n in sorted(tally.items()) if w.startswith(("status", "refused")))
    return Row("deploys", f"two nodes, each restarted twice, under {count} clients", f"{tally['asked']} requests; clients were cut and came back {tally['cut']} times, and asked again after: {sent_away or 'nothing'}",
               f"{tally['whole']} exact to the end", f"{tally['lost']}; the upstream was asked {paid} times", not tally["lost"] and paid == tally["asked"])


# ---------------------------------------------------------------- Redis that fails

def store(quick):
    """What Redis can do, one thing after another, beside live streams of which another node reads some."""
    count = 50 if quick else 500
    with running(mock := Millrace("mock"), first := Redis()) as also:
        also(two := Node(mock, first))
        also(one := Node(mock, first))
        yield from asyncio.run(beside_redis(mock, first, also, one, two, count))


def faults(redis, also):
    """Name, what begins it, how long it lasts, what ends it."""
    second = []

    def follow_first():
        second.append(Redis("--replicaof", "127.0.0.1", str(redis.port)))
        also(second[0])
        wait_until(lambda: "master_link_status:up" in second[0].command("INFO", "replication"), 10)
        second[0].command("REPLICAOF", "NO", "ONE")  # what comes from now on is lost

    def fail_over():
        redis.stop()
        second[0].command("CONFIG", "SET", "port", str(redis.port))
        second[0].port = redis.port
        redis.process = second[0].process

    def wrong_password():
        redis.command("CONFIG", "SET", "requirepass", "another-one")
        with socket.create_connection(("127.0.0.1", redis.port), 10) as s:
            s.sendall(b"AUTH another-one\r\nCLIENT KILL TYPE normal SKIPME yes\r\nCLIENT KILL TYPE pubsub\r\n")
            s.recv(4096)

    def right_password():
        with socket.create_connection(("127.0.0.1", redis.port), 10) as s:
            s.sendall(b"AUTH another-one\r\nCONFIG SET requirepass \"\"\r\n")
            s.recv(4096)
    nothing = lambda: None
    return [
        ("emptied (FLUSHALL)", lambda: redis.command("FLUSHALL"), 2, nothing),
        ("full, noeviction", lambda: redis.command("CONFIG", "SET", "maxmemory", "1"), 3, lambda: redis.command("CONFIG", "SET", "maxmemory", "0")),
        ("evicting, allkeys-lru", lambda: (redis.command("CONFIG", "SET", "maxmemory-policy", "allkeys-lru"), redis.command("CONFIG", "SET", "maxmemory", "3mb")), 3,
         lambda: (redis.command("CONFIG", "SET", "maxmemory", "0"), redis.command("CONFIG", "SET", "maxmemory-policy", "noeviction"))),
        ("silent for 3 s (SIGSTOP)", lambda: redis.send(signal.SIGSTOP), 3, lambda: redis.send(signal.SIGCONT)),
        ("silent for 9 s, longer than the lease", lambda: redis.send(signal.SIGSTOP), 9, lambda: redis.send(signal.SIGCONT)),
        ("killed (kill -9), empty after 2 s", redis.stop, 2, redis.start),
        ("another password for 3 s", wrong_password, 3, right_password),
        ("failed over to a replica without the last second", follow_first, 1, fail_over),
    ]


async def beside_redis(mock, redis, also, one, two, count):
    plans = faults(redis, also)
    seconds = 4 + sum(plan[2] + 9 for plan in plans) + 40
    live = [await ask(one, f"tokens={seconds * 10 + i % 7},gap_ms=100,stamp=1", keep=i < 20, delays=[]) for i in range(count)]
    ids, rows = [id_of(each) for each in live[:20]], []
    back = [asyncio.create_task(reads_elsewhere(two, stream)) for stream in ids]

    async def delays(during):
        for each in live: each.delays.clear()
        await during
        return [d for each in live for d in each.delays]
    await asyncio.sleep(4)
    for name, begin, lasts, end in plans:
        calm = await delays(asyncio.sleep(4))

        async def fault():
            await asyncio.to_thread(begin)
            await asyncio.sleep(lasts)
            await asyncio.to_thread(end)
        disturbed = await delays(fault())
        ended = time.monotonic()
        resynced = await shipped(one, two, ids, ended)
        p50, p99 = (percentile(disturbed, part) / percentile(calm, part) for part in (.5, .99))
        more = percentile(disturbed, .99) - percentile(calm, .99)
        alive = sum(not each.over.is_set() for each in live)
        sound = alive == count and (p99 <= SLOWER or more <= SHARED_P99_MS) and resynced is not None and resynced <= RESYNC_LIMIT_S
        rows.append(Row("store", f"{name}; {count} live streams", f"delay p50 {percentile(calm, .5):.2f} to {percentile(disturbed, .5):.2f} ms, p99 {percentile(calm, .99):.1f} to "
                        f"{percentile(disturbed, .99):.1f} ms ({p50:.2f}, {p99:.2f} times)", f"{alive} streams go on; the other node has all of them "
                        + (f"after {resynced:.1f} s" if resynced is not None else "not within 10 s"), f"{count - alive}", sound))
    for each in live: await asyncio.wait_for(each.until(1 << 30), 120)
    whole = sum(each.whole and each.tail.endswith(DONE) for each in live)
    elsewhere = await asyncio.gather(*back)
    exact = sum(text == bytes(own.body) for (text, _), own in zip(elsewhere, live))
    lost = int(two.replay("store_lost_total") + one.replay("store_lost_total"))
    rows.append(Row("store", f"all of these; {count} live streams, 20 of them followed at the other node", f"followers came back {sum(n for _, n in elsewhere)} times; {lost} streams taken for lost",
                    f"{whole} live streams whole, {exact} of 20 followers exact to the byte", f"{count - whole} streams, {20 - exact} followers", whole == count and exact == 20 and not lost))
    return rows


async def reads_elsewhere(node, stream):
    """A client of the other node that comes back, each time with what it has. Says what that is, and how often it came back."""
    got, times = bytearray(), 0
    for _ in range(2_000):
        try:
            response = await follow(node, stream, offset=len(got))
            await response.until(1 << 30)
        except OSError: response = None
        if response and response.status == 200:
            got += response.body
            if response.whole: return bytes(got), times
        if response and response.status == 204: return bytes(got), times
        times += 1
        await asyncio.sleep(0.2)
    return bytes(got), times


async def shipped(one, two, ids, since):
    """Seconds until the other node has of each stream what its own node had; None if not within ten."""
    tails = {stream: int((await send(one, "HEAD", f"/millrace/streams/{stream}")).fields.get("x-millrace-tail", 0)) for stream in ids}
    while tails and time.monotonic() - since < 10:
        for stream in list(tails):
            head = await send(two, "HEAD", f"/millrace/streams/{stream}")
            if head.status == 200 and int(head.fields["x-millrace-tail"]) >= tails[stream]: del tails[stream]
        await asyncio.sleep(0.05)
    return None if tails else time.monotonic() - since


# ---------------------------------------------------------------- nothing is left

def kept(quick):
    """Streams of all endings at two nodes with Redis: what is left of them."""
    count = 5_000 if quick else 50_000
    with running(mock := Millrace("mock"), redis := Redis()) as also:
        nodes = [Node(mock, redis, resume="keep: 6s, memory: 16MiB", detach="{policy: detach, maxTime: 3s}") for _ in range(2)]
        for node in nodes: also(node)
        yield asyncio.run(churned(mock, redis, nodes, count))


KEPT_ENDINGS = ("whole", "left", "resumed", "elsewhere", "stopped", "stopped elsewhere", "named", "later", "reset", "refused", "error")


async def churned(mock, redis, nodes, count):
    tally, wrong, places = collections.Counter(), collections.Counter(), asyncio.Semaphore(64)

    async def one(number):
        async with places:
            ending = KEPT_ENDINGS[number % len(KEPT_ENDINGS)]
            here, there = nodes if number % 2 else reversed(nodes)
            try: good = await end_of(ending, number, here, there)
            except (OSError, asyncio.TimeoutError) as e: good = repr(e)
            if good is True: tally[ending] += 1
            else: wrong[f"{ending}: {good}"] += 1
    for begin in range(0, count, 1_000): await asyncio.gather(*(one(i) for i in range(begin, min(count, begin + 1_000))))
    names = ("logs", "bytes{", "readers", "detached", "store_unshipped_bytes")

    def left():
        found = {}
        for i, node in enumerate(nodes):
            metrics = node.metrics()
            for key, value in metrics.items():
                mine = key == "millrace_replay_bytes" or key.startswith(tuple("millrace_replay_" + name for name in names)) or key.startswith("millrace_held_bytes{") or key == "millrace_active_exchanges"
                if mine and value: found[f"{i} {key}"] = value
        return found
    clean = await settle(lambda: not left() and redis.keys() == len(nodes) and stats(mock)["active_streams"] == 0, 60)
    for what, times in wrong.most_common(10): print(f"drill: {times} times {what}", file=sys.stderr)
    return Row("kept", f"{count} streams of {len(KEPT_ENDINGS)} endings at two nodes with Redis, 16 MiB for logs",
               (f"nothing {clean:.0f} s afterwards: no log, byte, reader or exchange, in Redis the leases of the nodes" if clean is not None else f"{left()}, {redis.keys()} keys in Redis"),
               ", ".join(f"{n} {w}" for w, n in tally.most_common()), f"{sum(wrong.values())} with a wrong end", not wrong and clean is not None)


async def end_of(ending, number, here, there):
    """One stream. Returns True, or what was wrong."""
    if ending in ("reset", "refused", "error"):
        spec = {"reset": "tokens=4,reset_after=2", "refused": "status=400", "error": "tokens=4,error_after=2"}[ending]
        response = await (await ask(here, spec)).until(1 << 30)
        return DONE not in response.tail or response.tail
    if ending == "later":
        begun = await (await ask(here, "tokens=4", "Prefer: respond-async\r\n")).until(1 << 30)
        response = await (await follow(here, id_of(begun))).until(1 << 30)
        return begun.status == 202 and response.tail.endswith(DONE) or response.tail
    if ending == "named":
        name = f"Idempotency-Key: drill-{number:016d}\r\n"
        pair = [await (await ask(node, "tokens=4,gap_ms=5", name)).until(1 << 30) for node in (here, there)]
        return pair[0].body == pair[1].body and pair[0].tail.endswith(DONE) or (pair[0].tail, pair[1].status, pair[1].tail)
    whole = ending == "whole"
    response = await ask(here, "tokens=4" if whole else "tokens=6,stall_after=3" if ending.startswith("stopped") or ending == "left" else "tokens=6,gap_ms=20")
    await response.until(1 << 30 if whole else 300)
    if whole: return response.tail.endswith(DONE) or response.tail
    got, stream = bytes(response.body), id_of(response)
    response.reset()
    if ending == "left": return True
    node = there if ending.endswith("elsewhere") else here
    if ending.startswith("stopped"):
        status = await stopped(node, stream)
        return status == 204 or status
    for _ in range(50):
        rest = await (await follow(node, stream, offset=len(got))).until(1 << 30)
        got += rest.body if rest.status == 200 else b""
        if rest.status == 204 or rest.whole and rest.status == 200: break
        await asyncio.sleep(0.05)
    return got.endswith(DONE) or (rest.status, got[-200:])


async def stopped(node, stream):
    """The status of a stop. Redis does not know a stream as soon as its client, and a stop without an answer may yet have come."""
    unsure = 0
    for _ in range(50):
        status = (await send(node, "DELETE", f"/millrace/streams/{stream}")).status
        unsure += status == 503
        if status == 204: break
        await asyncio.sleep(0.02)
    return 204 if status == 404 and unsure else status


if __name__ == "__main__" and sys.argv[1:2] == ["_cuts"]: cuts_inside(int(sys.argv[2]))
