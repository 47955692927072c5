"""The drill `rolling` of scripts/drill: two relays behind a real HAProxy, with the files of examples/haproxy-redis, are
stopped and started one after the other, while streams run and requests come."""
import collections, shutil, socket, subprocess, tempfile, threading, time

from drill import Millrace, ROOT, Row, Streams, ask, asker, wait_until

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


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]
