package io.millrace.server.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millrace.server.mock.MockConfig;
import io.millrace.server.mock.MockServer;
import io.millrace.server.test.RawClient;
import io.millrace.server.test.RelayHarness;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.util.ReferenceCountUtil;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A relay with little memory, and crowds that make it hold more than it has: clients that do not read, and bodies that
 * do not end. The relay must answer health checks all the time, and must serve again after they have left. The short
 * run is for every build; {@code -Dmillrace.drill=full} is the whole drill, with three sizes of the heap.
 */
@Tag("sockets")
class MemoryDrillTest {
    private static final Path LAUNCHER = Path.of("..", "bench", "src", "dist", "bin", "millrace");
    private static final Pattern ADDRESSES =
            Pattern.compile("http://127\\.0\\.0\\.1:(\\d+), http://127\\.0\\.0\\.1:(\\d+)");
    private static final boolean FULL = "full".equals(System.getProperty("millrace.drill"));
    /** The machine of a build may be busy with more than this. */
    private static final Duration ADMIN_ALIVE_WITHIN = FULL ? Duration.ofMillis(100) : Duration.ofSeconds(5);

    private static final Duration ALIVE_WITHIN = Duration.ofSeconds(10);

    private final List<RawClient> crowd = new ArrayList<>();

    @TempDir
    private Path directory;

    /**
     * How much memory, and how many clients.
     *
     * @param heap the flag that sets the heap, on which the rest hangs; empty for the JVM's own
     * @param memory what the relay may hold; 0 is what the heap says
     */
    private record Size(String heap, String memory, int clients, int bodies) {}

    static List<Size> sizes() {
        return FULL
                ? List.of(
                        new Size("-Xmx64m", "0", 1500, 200),
                        new Size("-Xmx512m", "0", 8500, 200),
                        new Size("", "0", 8500, 200))
                : List.of(new Size("-Xmx64m", "4MiB", 60, 20));
    }

    @ParameterizedTest
    @MethodSource("sizes")
    void survivesClientsThatDoNotRead(Size size) throws Exception {
        try (var mock = MockServer.start(MockConfig.defaults());
                var flood = new Flood();
                var relay = relay(size, mock, flood)) {
            int[] ports = ports(relay);
            int port = ports[0];
            var probe = Probe.start(port);
            var admin = Probe.start(ports[1]);
            giveWay();
            for (int i = 0; i < size.clients; i++) {
                crowd.add(ask(port));
            }
            long held = awaitHeld(port);
            leave();
            long leftNs = System.nanoTime();
            await().atMost(Duration.ofSeconds(20)).until(() -> isServed(port));
            judge(size, "clients that do not read", held, probe.end(), admin.end(), leftNs);
        }
    }

    @ParameterizedTest
    @MethodSource("sizes")
    void servesSmallRequestsBesideBodiesThatDoNotEnd(Size size) throws Exception {
        try (var mock = MockServer.start(MockConfig.defaults());
                var flood = new Flood();
                var relay = relay(size, mock, flood)) {
            int[] ports = ports(relay);
            int port = ports[0];
            var probe = Probe.start(port);
            var admin = Probe.start(ports[1]);
            giveWay();
            char[] filling = new char[512 << 10];
            Arrays.fill(filling, 'a');
            String part = new String(filling);
            for (int i = 0; i < size.bodies; i++) {
                var client = new RawClient(port);
                crowd.add(client);
                client.sendRaw(
                        "POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Length: 33554432\r\n\r\n{\"x\":\"");
                client.sendRaw(part);
            }
            for (int i = 0; i < 10; i++) {
                assertThat(isServed(port)).as("a small request").isTrue();
            }
            long held = metric(port, "millrace_held_bytes{");
            leave();
            judge(size, "bodies that do not end", held, probe.end(), admin.end(), System.nanoTime());
        }
    }

    private void leave() throws IOException {
        for (RawClient client : crowd) {
            client.reset();
        }
        crowd.clear();
    }

    private LauncherProcess relay(Size size, MockServer mock, Flood flood) throws Exception {
        var flags = new ArrayList<>(launcherFlags());
        flags.add("-XX:TieredStopAtLevel=1");
        if (!size.heap.isEmpty()) {
            flags.add(size.heap);
        }
        var config = Files.writeString(
                directory.resolve("drill.yaml"),
                "listeners: [{address: '127.0.0.1:0'}, {address: '127.0.0.1:0', serves: [health]}]\n"
                        + "accessLog: off\nlimits: {memory: " + size.memory + "}\nupstreams: {mock: {url: '"
                        + mock.uri()
                        + "'}, flood: {url: '" + flood.uri() + "'}}\n"
                        + "routes: [{match: {paths: /v1/chat/*, models: '*'}, upstream: mock}, {upstream: flood}]\n");
        return LauncherProcess.start(flags, "serve", config.toString());
    }

    /** What the distribution's launcher gives to a JVM of this version. Its Java only tells them. */
    private List<String> launcherFlags() throws IOException, InterruptedException {
        Path jdk = directory.resolve("jdk");
        Files.createDirectories(jdk.resolve("bin"));
        Files.writeString(
                jdk.resolve("release"), "JAVA_VERSION=\"" + Runtime.version().feature() + "\"\n");
        Path java = Files.writeString(jdk.resolve("bin/java"), "#!/bin/sh\nprintf '%s\\n' \"$@\"\n");
        assertThat(java.toFile().setExecutable(true)).isTrue();
        Path told = directory.resolve("flags");
        var launcher = new ProcessBuilder("sh", LAUNCHER.toString())
                .redirectOutput(told.toFile())
                .redirectError(ProcessBuilder.Redirect.DISCARD);
        launcher.environment().put("JAVA_HOME", jdk.toString());
        launcher.environment().keySet().removeIf(name -> name.startsWith("MILLRACE_"));
        assertThat(launcher.start().waitFor()).isZero();
        List<String> flags = Files.readAllLines(told);
        assertThat(flags).contains("-XX:+UseG1GC", "-cp");
        return flags.subList(0, flags.indexOf("-cp"));
    }

    /** Of the listener for clients and of the admin listener. */
    private static int[] ports(LauncherProcess relay) throws InterruptedException {
        var addresses = ADDRESSES.matcher(relay.awaitOut(line -> line.contains("listening on")));
        assertThat(addresses.find()).isTrue();
        return new int[] {Integer.parseInt(addresses.group(1)), Integer.parseInt(addresses.group(2))};
    }

    private static RawClient ask(int port) throws IOException {
        var client = new RawClient(port);
        client.post("/v1/messages", "m", "");
        return client;
    }

    private static boolean isServed(int port) throws IOException {
        try (var client = new RawClient(port)) {
            client.post(RelayHarness.withSpec("/v1/chat/completions", "tokens=5"), "m", "");
            RawClient.Response response = client.readAll();
            return response.status() == 200 && response.text().endsWith("data: [DONE]\n\n");
        }
    }

    /** What is held when memory is short, or, where there is enough of it, when it grows no more. */
    private static long awaitHeld(int port) {
        var most = new AtomicLong(-1);
        var still = new AtomicInteger();
        await().pollInterval(Duration.ofMillis(500))
                .atMost(Duration.ofMinutes(3))
                .until(() -> {
                    long now = metric(port, "millrace_held_bytes{");
                    if (now > most.get()) {
                        most.set(now);
                        still.set(0);
                    }
                    boolean isShort = now > metric(port, "millrace_held_bytes_limit{pool=\"buffers\"}") / 4 * 3;
                    return isShort || (now > 1 << 20 && still.incrementAndGet() == 10);
                });
        return most.get();
    }

    /** The sum of the values of all lines that begin so. */
    private static long metric(int port, String start) throws IOException {
        try (var client = new RawClient(port)) {
            client.send("GET", "/metrics", "");
            return client.readAll()
                    .text()
                    .lines()
                    .filter(line -> line.startsWith(start))
                    .mapToLong(line -> (long) Double.parseDouble(line.substring(line.indexOf(' ') + 1)))
                    .sum();
        }
    }

    private static void judge(Size size, String what, long held, Probe.Seen probe, Probe.Seen admin, long leftNs) {
        System.out.printf(
                "Java %d %s, %s: %,d KiB held, signs of life %s, of the admin listener %s, served %d ms after they left%n",
                Runtime.version().feature(),
                size.heap.isEmpty() ? "default" : size.heap,
                what,
                held >> 10,
                probe,
                admin,
                TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - leftNs));
        assertThat(probe.slowest()).as("slowest sign of life").isLessThan(ALIVE_WITHIN);
        assertThat(admin.slowest()).as("slowest of the admin listener").isLessThan(ADMIN_ALIVE_WITHIN);
    }

    /**
     * In the full run the upstream gives way to the relay, as if it had processors of its own. The thread that starts processes
     * does not, because they would inherit that.
     */
    private static void giveWay() {
        if (FULL) {
            await().ignoreExceptions().until(() -> renice() == 0); // fails if a thread has ended since it was listed
        }
    }

    private static int renice() throws IOException, InterruptedException {
        var command = new ArrayList<>(List.of("renice", "-n", "10", "-p"));
        try (var threads = Files.list(Path.of("/proc/self/task"))) {
            for (Path each : threads.toList()) {
                if (!Files.readString(each.resolve("comm")).startsWith("java")) {
                    command.add(each.getFileName().toString());
                }
            }
        }
        return new ProcessBuilder(command)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start()
                .waitFor();
    }

    /** An upstream whose answers are without end, as fast as they are taken. */
    private static final class Flood extends ChannelInitializer<Channel> implements AutoCloseable {
        private static final String FRAME =
                "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,"
                        + "\"delta\":{\"type\":\"text_delta\",\"text\":\"and on \"}}\n\n";
        private static final String HEAD =
                "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";

        private final byte[] block = FRAME.repeat(400).getBytes(StandardCharsets.US_ASCII);
        private final byte[] chunk;
        private final EventLoopGroup loops = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
        private final Channel listener;

        Flood() {
            String text = Integer.toHexString(block.length) + "\r\n" + FRAME.repeat(400) + "\r\n";
            chunk = text.getBytes(StandardCharsets.US_ASCII);
            listener = new ServerBootstrap()
                    .group(loops)
                    .channel(NioServerSocketChannel.class)
                    .option(ChannelOption.SO_BACKLOG, 4096)
                    .childHandler(this)
                    .bind("127.0.0.1", 0)
                    .syncUninterruptibly()
                    .channel();
        }

        URI uri() {
            return URI.create("http://127.0.0.1:" + ((InetSocketAddress) listener.localAddress()).getPort());
        }

        @Override
        protected void initChannel(Channel channel) {
            channel.pipeline().addLast(new ChannelInboundHandlerAdapter() {
                private boolean begun;

                @Override
                public void channelRead(ChannelHandlerContext ctx, Object msg) {
                    ReferenceCountUtil.release(msg);
                    if (!begun) {
                        begun = true;
                        ctx.writeAndFlush(Unpooled.wrappedBuffer(HEAD.getBytes(StandardCharsets.US_ASCII)));
                        flood(ctx);
                    }
                }

                @Override
                public void channelWritabilityChanged(ChannelHandlerContext ctx) {
                    if (begun && ctx.channel().isWritable()) {
                        ctx.executor().execute(() -> flood(ctx));
                    }
                }

                @Override
                public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
                    ctx.close();
                }
            });
        }

        private void flood(ChannelHandlerContext ctx) {
            while (ctx.channel().isActive() && ctx.channel().isWritable()) {
                ctx.write(Unpooled.wrappedBuffer(chunk), ctx.voidPromise());
            }
            ctx.flush();
        }

        @Override
        public void close() {
            listener.close();
            loops.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly(5, TimeUnit.SECONDS);
        }
    }

    /**
     * Asks whether the relay is alive, on a new connection each time, one after the other: a process of its own, which does not
     * wait while this one collects its garbage.
     */
    static final class Probe {
        private final Process process;

        /**
         * What was seen.
         *
         * @param slowest of the answers, without the first, which waits for classes that no JVM has loaded yet
         */
        private record Seen(int count, Duration slowest) {
            @Override
            public String toString() {
                return count + ", slowest " + slowest.toMillis() + " ms";
            }
        }

        private Probe(Process process) {
            this.process = process;
        }

        static Probe start(int port) throws IOException {
            return new Probe(new ProcessBuilder(
                            System.getProperty("java.home") + "/bin/java",
                            "-XX:TieredStopAtLevel=1",
                            "-XX:+UseSerialGC",
                            "-Xmx32m",
                            "-cp",
                            System.getProperty("java.class.path"),
                            Probe.class.getName(),
                            Integer.toString(port))
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .start());
        }

        Seen end() throws IOException, InterruptedException {
            process.getOutputStream().write('\n');
            process.getOutputStream().close();
            String told = new String(process.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
            assertThat(process.waitFor()).as("exit code of the probe").isZero();
            String[] numbers = told.trim().split(" ", -1);
            return new Seen(Integer.parseInt(numbers[0]), Duration.ofNanos(Long.parseLong(numbers[1])));
        }

        /** Until standard input ends; prints the count, and the slowest in nanoseconds. */
        public static void main(String[] port) throws IOException {
            int count = 0;
            long slowestNs = 0;
            while (count < 2 || System.in.available() == 0) {
                long startNs = System.nanoTime();
                try (var client = new RawClient(Integer.parseInt(port[0]))) {
                    client.send("GET", "/healthz", "");
                    if (client.readAll().status() != 200) {
                        throw new IOException("not 200");
                    }
                }
                slowestNs = count++ == 0 ? 0 : Math.max(slowestNs, System.nanoTime() - startNs);
            }
            System.out.println(count + " " + slowestNs);
        }
    }
}
