package io.millrace.it.edge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millrace.server.RelayServer;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.RelayConfig.AccessLog;
import io.millrace.server.test.RawClient;
import io.millrace.server.test.RelayHarness;
import io.netty.channel.Channel;
import io.netty.channel.ChannelOption;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Queue;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import jdk.net.ExtendedSocketOptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * No frame waits in a buffer. The relay does not wait for a timer or for more frames. The kernel does not wait for the
 * acknowledgement of the frame before (Nagle's algorithm, RFC 1122 section 4.2.3.4).
 *
 * <p>Nagle's algorithm does harm if the receiver delays its acknowledgements (RFC 1122 section 4.2.3.2). Pieces that
 * are sent every {@value #GAP_MS} ms then arrive in groups, about 40 ms apart on Linux. Linux hides this effect,
 * because it acknowledges at once whatever an application reads promptly. Other systems and busy clients do not. So
 * the receivers here switch TCP_QUICKACK off before each read, and the kernel delays its acknowledgements. The
 * controls switch TCP_NODELAY off and must see the groups.
 */
@Tag("time")
class NoDelayTest {
    private static final String CHAT = "/v1/chat/completions";
    private static final int PIECES = 80;
    private static final int GAP_MS = 10;
    /** There is a gap for each four or five pieces. A busy machine sometimes adds or hides one. */
    private static final int MANY_TEETH = PIECES / 8;

    private static final int FEW_TEETH = PIECES / 20;
    private static final int TRIES = 3;
    /** A request body is passed on while it arrives when this many of its bytes are here. */
    private static final int FLOWING = 16 * 1024;

    private static final int LOCK_STEPS = 300;

    @Test
    void setsNoDelayOnBothChannels() throws Exception {
        Queue<Channel> seen = new ConcurrentLinkedQueue<>();
        try (var tap = ChannelTap.listen(seen::add);
                var harness = RelayHarness.start();
                var client = harness.client()) {
            assertThat(tap).isNotNull();
            client.post(RelayHarness.withSpec(CHAT, "tokens=3"), "mock", "");
            assertThat(client.readAll().status()).isEqualTo(200);

            assertThat(seen).filteredOn(accepts(harness.port())).hasSize(1).allMatch(NoDelayTest::noDelay);
            assertThat(seen)
                    .filteredOn(connectsTo(harness.mock.port()))
                    .hasSize(1)
                    .allMatch(NoDelayTest::noDelay);
        }
    }

    @Test
    void sendsTokensToTheClientWithoutTheComb() throws Exception {
        try (var harness = RelayHarness.start()) {
            assertThat(inOneOf(TRIES, () -> teeth(tokenTimes(harness)) < FEW_TEETH))
                    .isTrue();
        }
    }

    @Test
    void combsTokensWithNagle() throws Exception {
        try (var harness = RelayHarness.start();
                var tap = nagleWhere(accepts(harness.port()))) {
            assertThat(tap).isNotNull();
            assertThat(inOneOf(TRIES, () -> teeth(tokenTimes(harness)) > MANY_TEETH))
                    .isTrue();
        }
    }

    @Test
    void sendsPiecesOfARequestToTheUpstreamWithoutTheComb() throws Exception {
        assertThat(inOneOf(TRIES, () -> teeth(pieceTimes(channel -> false)) < FEW_TEETH))
                .isTrue();
    }

    @Test
    void combsPiecesOfARequestWithNagle() throws Exception {
        assertThat(inOneOf(TRIES, () -> teeth(pieceTimes(channel -> channel.parent() == null)) > MANY_TEETH))
                .isTrue();
    }

    /**
     * The upstream sends a frame when the client has the one before. If the relay waited for more, it would wait for
     * ever.
     */
    @Test
    void passesEachFrameOnBeforeTheNextIsThere() throws Exception {
        try (var listener = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                var relay = relayTo(listener);
                var client = new RawClient(relay.addresses().get(0).getPort())) {
            client.post(CHAT, "mock", "");
            try (var upstream = listener.accept()) {
                readHead(upstream.getInputStream());
                upstream.setTcpNoDelay(true);
                var out = upstream.getOutputStream();
                write(out, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n");
                long[] stepNs = new long[LOCK_STEPS];
                for (int i = 0; i < LOCK_STEPS; i++) {
                    String frame = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"" + i + "\"}}]}\n\n";
                    long startNs = System.nanoTime();
                    write(out, Integer.toHexString(frame.length()) + "\r\n" + frame + "\r\n");
                    if (i == 0) {
                        assertThat(client.readHead()).startsWith("HTTP/1.1 200 ");
                    }
                    assertThat(readChunk(client)).isEqualTo(frame);
                    stepNs[i] = System.nanoTime() - startNs;
                }
                // A useful timer is not shorter than this. Even on a busy machine half of the steps are shorter.
                Arrays.sort(stepNs);
                assertThat(stepNs[LOCK_STEPS / 2]).isLessThan(TimeUnit.MILLISECONDS.toNanos(2));
            }
        }
    }

    /** When each token of a stream arrived at a client that delays its acknowledgements. */
    private static long[] tokenTimes(RelayHarness harness) throws IOException {
        try (var client = harness.client()) {
            client.post(RelayHarness.withSpec(CHAT, "tokens=" + PIECES + ",gap_ms=" + GAP_MS), "mock", "");
            client.readHead();
            var at = new long[PIECES];
            int count = 0;
            while (count < PIECES) {
                delayAcknowledgements(client.socket());
                String chunk = readChunk(client);
                int tokens = chunk.split("\"content\":\"[^\"]", -1).length - 1;
                Arrays.fill(at, count, count + tokens, System.nanoTime());
                count += tokens;
            }
            return at;
        }
    }

    /** When each piece of a request body arrived at an upstream that delays its acknowledgements. */
    private static long[] pieceTimes(Predicate<Channel> nagle) throws Exception {
        var clock = Executors.newSingleThreadScheduledExecutor();
        try (var tap = nagleWhere(nagle);
                var listener = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                var relay = relayTo(listener);
                var client = new RawClient(relay.addresses().get(0).getPort())) {
            assertThat(tap).isNotNull();
            client.socket().setTcpNoDelay(true);
            client.sendRaw("POST /v1/files HTTP/1.1\r\nHost: relay\r\nContent-Length: " + (FLOWING + PIECES)
                    + "\r\n\r\n" + "x".repeat(FLOWING));
            try (var upstream = listener.accept()) {
                var in = upstream.getInputStream();
                readHead(in);
                in.readNBytes(FLOWING);
                clock.scheduleAtFixedRate(() -> sendPiece(client), 0, GAP_MS, TimeUnit.MILLISECONDS);
                var at = new long[PIECES];
                var buffer = new byte[PIECES];
                int count = 0;
                while (count < PIECES) {
                    delayAcknowledgements(upstream);
                    int n = in.read(buffer);
                    assertThat(n).isPositive();
                    Arrays.fill(at, count, count + n, System.nanoTime());
                    count += n;
                }
                return at;
            }
        } finally {
            clock.shutdownNow();
            await().until(() -> clock.awaitTermination(1, TimeUnit.SECONDS));
        }
    }

    private static void sendPiece(RawClient client) {
        try {
            client.sendRaw("x");
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    /**
     * Whether the condition holds in one of the tries. With Nagle's algorithm every try has the gaps; a busy machine
     * does not make as many in every try.
     */
    private static boolean inOneOf(int tries, Callable<Boolean> check) throws Exception {
        for (int i = 0; i < tries; i++) {
            if (check.call()) {
                return true;
            }
        }
        return false;
    }

    /** How often nothing arrived for about 40 ms. */
    private static long teeth(long[] at) {
        return IntStream.range(1, at.length)
                .mapToLong(i -> at[i] - at[i - 1])
                .filter(gapNs -> gapNs > 30e6 && gapNs < 80e6)
                .count();
    }

    private static void delayAcknowledgements(Socket socket) throws IOException {
        socket.setOption(ExtendedSocketOptions.TCP_QUICKACK, false);
    }

    private static AutoCloseable nagleWhere(Predicate<Channel> channels) {
        return ChannelTap.listen(channel -> {
            if (channels.test(channel)) {
                channel.config().setOption(ChannelOption.TCP_NODELAY, false);
            }
        });
    }

    private static boolean noDelay(Channel channel) {
        return channel.config().getOption(ChannelOption.TCP_NODELAY);
    }

    private static Predicate<Channel> accepts(int port) {
        return channel -> channel.parent() != null && ((InetSocketAddress) channel.localAddress()).getPort() == port;
    }

    private static Predicate<Channel> connectsTo(int port) {
        return channel -> channel.parent() == null && ((InetSocketAddress) channel.remoteAddress()).getPort() == port;
    }

    private static RelayServer relayTo(ServerSocket listener) {
        var upstream = URI.create("http://127.0.0.1:" + listener.getLocalPort());
        return RelayServer.start(RelayConfig.relayTo(upstream).with(c -> c.accessLog = AccessLog.OFF));
    }

    private static String readChunk(RawClient client) throws IOException {
        int size = Integer.parseInt(client.readLine(), 16);
        var chunk = new StringBuilder();
        for (int i = 0; i < size; i++) {
            chunk.append((char) client.read());
        }
        client.readLine();
        return chunk.toString();
    }

    private static void readHead(InputStream in) throws IOException {
        int newlines = 0;
        while (newlines < 2) {
            int b = in.read();
            assertThat(b).isNotNegative();
            if (b != '\r') {
                newlines = b == '\n' ? newlines + 1 : 0;
            }
        }
    }

    private static void write(OutputStream out, String text) throws IOException {
        out.write(text.getBytes(StandardCharsets.US_ASCII));
    }
}
