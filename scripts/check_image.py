"""Boots the image that scripts/check-image built, and checks what it promises. No daemon, no network of its own."""
import gzip, json, os, pathlib, signal, socket, subprocess, sys, tarfile, time, urllib.request

WORK = pathlib.Path(sys.argv[1])
IMAGE = "localhost/millrace"
REQUEST = {"model": "mock:tokens=40,gap_ms=50", "stream": True, "messages": []}
BUILDAH = ["buildah", "--root", str(WORK / "storage"), "--runroot", str(WORK / "run")]
failed = []


def buildah(*arguments): return subprocess.run([*BUILDAH, *arguments], check=True, capture_output=True, text=True).stdout.strip()


def check(what, sound, seen=""):
    print(f"check-image: {'ok' if sound else 'WRONG'}: {what}{f': {seen}' if seen != '' else ''}", flush=True)
    if not sound: failed.append(what)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait(condition, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := condition(): return found
        time.sleep(0.1)
    raise SystemExit("check-image: waited in vain")


class Container:
    """A container of the image. As with a read-only root, its user finds no directory to write to."""

    def __init__(self, configuration):
        self.name = buildah("from", "--pull-never", IMAGE)
        self.options = []
        empty = WORK / "empty"
        empty.mkdir(exist_ok=True)
        for path in ("/tmp", "/var/tmp", "/run/lock"): self.options += ["--volume", f"{empty}:{path}:ro"]
        self.options += ["--volume", f"{configuration}:/etc/millrace/millrace.yaml:ro"]

    def command(self, *command): return [*BUILDAH, "run", *self.options, self.name, "--", *command]

    def run(self, *command):
        done = subprocess.run(self.command(*command), capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    def start(self, *command, log):
        return subprocess.Popen(self.command(*command), stdout=open(log, "wb"), stderr=subprocess.STDOUT)


def java_below(pid):
    """The process of the relay below the one that started the container."""
    todo = [pid]
    while todo:
        at = todo.pop()
        try:
            if os.path.basename(os.readlink(f"/proc/{at}/exe")) == "java": return at
            todo += [int(p) for p in open(f"/proc/{at}/task/{at}/children").read().split()]
            for thread in os.listdir(f"/proc/{at}/task"):
                todo += [int(p) for p in open(f"/proc/{at}/task/{thread}/children").read().split()]
        except OSError: pass
    return None


def ids(pid): return [line.split()[1:] for line in open(f"/proc/{pid}/status") if line.startswith(("Uid:", "Gid:"))]


def rss_mib(pid): return next(int(line.split()[1]) // 1024 for line in open(f"/proc/{pid}/status") if line.startswith("VmRSS"))


def sizes():
    """The bytes of the image without the base, and of all, in files and packed as a registry keeps them."""
    archive = WORK / "image.tar"
    archive.unlink(missing_ok=True)
    buildah("push", "-q", IMAGE, f"docker-archive:{archive}")
    plain, packed = [], []
    with tarfile.open(archive) as tar:
        manifest = json.load(tar.extractfile("manifest.json"))[0]
        for layer in manifest["Layers"]:
            data = tar.extractfile(layer).read()
            plain.append(len(data))
            packed.append(len(gzip.compress(data, 6)))
    archive.unlink()
    return plain, packed


def main():
    inspected = json.loads(buildah("inspect", "--type", "image", IMAGE))
    config = inspected["Docker"]["config"]
    check("its user is not root", config["User"] == "10001:10001", config["User"])
    check("it is stopped by SIGTERM", config.get("StopSignal") == "SIGTERM")
    check("it asks its own health", config["Healthcheck"]["Test"] == ["CMD", "millrace", "health"])
    labels = config["Labels"]
    check("it has labels", labels.get("org.opencontainers.image.licenses") == "Apache-2.0")

    port = free_port()
    configuration = WORK / "millrace.yaml"
    configuration.write_text(f"listen: 127.0.0.1:{port}\n")
    plain = Container("/dev/null")
    plain.options = []
    code, text = plain.run("millrace", "check")
    check("without a file it listens on all addresses", code == 0 and "0.0.0.0:8080" in text)
    check("its version is told", labels["org.opencontainers.image.version"] in plain.run("millrace", "--version")[1])

    container = Container(configuration)
    code, text = container.run("sh", "-c", "find / -xdev -type d -writable -not -path '/proc*' -not -path '/dev*'; id -u; touch /opt/x")
    check("its user can write nowhere", text.split("\n")[0] == "10001" and code != 0, text.split("\n")[0])
    log = WORK / "relay.log"
    begun = time.monotonic()
    started = container.start(*config["Entrypoint"], *config["Cmd"], log=log)
    wait(lambda: "curl -N " in log.read_text() or started.poll() is not None)
    check("it starts", started.poll() is None, f"{time.monotonic() - begun:.1f} s")
    pid = java_below(started.pid)
    check("it runs as its own user", all(set(each) == {"10001"} for each in ids(pid)), ids(pid))
    maps = open(f"/proc/{pid}/maps").read()
    check("it takes Netty's native libraries from the image", "/opt/millrace/lib/native/libnetty_transport_native_epoll" in maps)
    check("it starts from what it was trained with", "/opt/millrace/cache/java-25" in maps)
    code, text = container.run(*config["Healthcheck"]["Test"][1:])
    check("it is healthy", code == 0, text.strip())

    request = urllib.request.Request(f"http://127.0.0.1:{port}/v1/chat/completions", json.dumps(REQUEST).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        lines, moments = [], []
        for line in answer:
            if not line.strip(): continue
            lines.append(line)
            moments.append(time.monotonic())
            if len(lines) == 5:
                print(f"check-image: {rss_mib(pid)} MiB resident", flush=True)
                os.kill(pid, signal.SIGTERM)
    check("it streams, also after SIGTERM", lines[-1] == b"data: [DONE]\n" and len(lines) > 40 and moments[-1] - moments[4] > 1,
          f"{len(lines)} frames")
    check("then it ends with 0", started.wait(60) == 0, started.returncode)
    code, text = container.run(*config["Healthcheck"]["Test"][1:])
    check("then it is not healthy", code == 1, text.split("\n")[0])

    layers, packed = sizes()
    names = ["the base", "Java, Millrace and what it learned"]
    print("\n| | MiB | packed, MiB |\n| --- | ---: | ---: |")
    for name, one, other in [*zip(names, layers, packed), ("all", sum(layers), sum(packed))]:
        print(f"| {name} | {one / (1 << 20):.1f} | {other / (1 << 20):.1f} |")
    for each in (plain, container): buildah("rm", each.name)
    sys.exit(1 if failed else 0)


main()
