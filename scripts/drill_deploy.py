"""Drills of scripts/drill about deployments. `rolling`: two relays behind a real HAProxy, as examples/haproxy-redis has it,
are stopped and started one after the other, while streams run and requests come. `container`: how much memory the relay
takes that sizes itself for a small container."""
import collections, shutil, socket, subprocess, tempfile, threading, time

from drill import Millrace, ROOT, Row, Streams, ask, asker, crowd, in_background, wait_until
from drill_edge import relay_of

EXAMPLE = ROOT / "examples" / "haproxy-redis"
DRAIN_S = 60


class Haproxy:
    """HAProxy as the example configures it, on a port of its own, before two relays."""

    def __init__(self, directory, port, relays):
        self.host, self.port = "127.0.0.1", port
        text = (EXAMPLE / "haproxy.cfg").read_text()
        for named, used in (("8080", port), ("8081", relays[0]), ("8082", relays[1])):
            text = text.replace(f"127.0.0.1:{named}", f"127.0.0.1:{used}")
        file = f"{directory}/haproxy.cfg"
        with open(file, "w") as out: out.write(text)
        self.process = subprocess.Popen([shutil.which("haproxy"), "-db", "-f", file], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if wait_until(lambda: ask(self)[1], 20) is None: raise SystemExit("drill: HAProxy does not serve")

    def stop(self):
        self.process.terminate()
        self.process.wait(20)


def rolling(quick):
    streams, rounds = (60, 1) if quick else (600, 3)
    directory = tempfile.TemporaryDirectory()
    mock = Millrace("mock")
    config = directory.name + "/millrace.yaml"
    with open(config, "w") as file:
        file.write(f"accessLog: off\nupstreams: {{mock: {{url: 'http://127.0.0.1:{mock.port}'}}}}\n"
                   f"timeouts: {{shutdownDelay: 5s, drain: {DRAIN_S}s}}\n"
                   "limits: {connectionsPerAddress: 0, streamsPerAddress: 0}\n")

    def relay(port=0): return Millrace("serve", config, port=port, MILLRACE_WARM_UP="off")

    relays = [relay(), relay()]
    proxy = Haproxy(directory.name, free_port(), [each.port for each in relays])
    stop, counts = threading.Event(), collections.Counter()
    askers = [threading.Thread(target=asker, args=(proxy, kept, stop, counts)) for kept in (False, False, True, True)]
    for thread in askers: thread.start()
    whole = gone = 0
    for _ in range(rounds):
        for index in (0, 1):
            live = Streams(proxy, streams, "tokens=60,gap_ms=250")  # 15 s each
            time.sleep(2)
            old = relays[index]
            old.process.terminate()
            gone += old.process.wait(DRAIN_S + 20) == 0
            relays[index] = relay(old.port)
            time.sleep(3)  # HAProxy has seen it
            whole += live.finish(60)
    stop.set()
    for thread in askers: thread.join()
    asked = 2 * rounds * streams
    sound = whole == asked and not counts["lost"] and gone == 2 * rounds and ask(proxy)[1]
    yield Row("rolling", f"{2 * rounds} restarts of two relays behind HAProxy, {streams} live streams at each, {counts['asked']} requests "
              "beside them, half of them on kept connections", f"{streams} streams",
              f"{whole} streams whole, {counts['asked'] - counts['lost']} requests answered, {gone} relays ended with 0",
              f"{asked - whole} streams, {counts['lost']} requests", sound)
    for each in (proxy, *relays, mock): each.stop()


def container(quick):
    """Silent streams, and how much of the memory of a container they leave. The JVM is told the size as a cgroup would."""
    for limit_mib, streams in ((256, 1000), (512, 1000), (512, 5000), (1024, 5000), (1024, 9000), (2048, 9000)):
        count = streams // 10 if quick else streams
        mock = Millrace("mock", "--spec", "tokens=2,gap_ms=600000")
        relay = relay_of(mock, "limits: {connectionsPerAddress: 0, streamsPerAddress: 0}\n", options=f"-XX:MaxRAM={limit_mib}m")
        before = relay.rss_mib()
        sockets = in_background(lambda: crowd(relay, count, "tokens=2,gap_ms=600000"))
        held = wait_until(lambda: relay.metrics()["millrace_open_streams"] >= count, 120) is not None
        time.sleep(2)
        after = relay.rss_mib()
        sound = held and after < 0.9 * limit_mib
        yield Row("container", f"{limit_mib} MiB, {count} streams", f"{count} streams",
                  f"{before} MiB resident before, {after} MiB with them", 0 if held else "refused", sound)
        for each in sockets: each.close()
        for each in (relay, mock): each.stop()


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]
