package io.millrace.server.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.millrace.server.config.Limits;
import io.millrace.server.config.Match;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.RelayConfig.AccessLog;
import io.millrace.server.config.Route;
import io.millrace.server.config.Route.Retry;
import io.millrace.server.config.Timeouts;
import io.millrace.server.memory.Held;
import io.millrace.server.memory.MemoryAccount;
import io.millrace.server.memory.MemoryBudget;
import io.millrace.server.mock.MockConfig;
import io.millrace.server.test.RawClient;
import io.millrace.server.test.RelayHarness;
import io.millrace.server.test.ScriptedUpstream;
import io.netty.buffer.AbstractByteBufAllocator;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Tag("sockets")
@Tag("h2")
class RequestBodyTest {
    private static final String OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    private static final Timeouts SHORT = Timeouts.DEFAULT
            .with(t -> t.requestHead = Duration.ofMillis(200))
            .with(t -> t.requestBodyIdle = Duration.ofMillis(200))
            .with(t -> t.keepAlive = Duration.ofMillis(200));

    @Test
    void relaysABodyByLengthAndInChunksAndByteByByte() throws IOException {
        try (var harness = RelayHarness.start();
                var client = harness.client()) {
            byte[] body = new byte[3000];
            new Random(1).nextBytes(body);
            String text = new String(body, StandardCharsets.ISO_8859_1);
            client.sendRaw("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3000\r\n\r\n" + text);
            assertThat(client.readAll().status()).isEqualTo(200);
            client.sendRaw("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
            for (int i = 0; i < 3000; i += 100) {
                client.sendRaw("64\r\n" + text.substring(i, i + 100) + "\r\n");
            }
            client.sendRaw("0\r\n\r\n");
            assertThat(client.readAll().status()).isEqualTo(200);
            client.socket().setTcpNoDelay(true);
            client.sendRaw("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3000\r\n\r\n");
            for (byte octet : body) {
                client.sendRaw(new byte[] {octet});
            }
            assertThat(client.readAll().status()).isEqualTo(200);
            assertThat(harness.mock.requests())
                    .hasSize(3)
                    .allMatch(request -> java.util.Arrays.equals(request.body(), body));
        }
    }

    @Test
    void saysThatAPostWithoutABodyIsEmpty() throws IOException {
        try (var harness = RelayHarness.start();
                var client = harness.client()) {
            for (String fields : List.of("", "Content-Length: 0\r\n")) {
                client.sendRaw("POST /echo HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n");
                assertThat(client.readAll().status()).isEqualTo(200);
            }
            client.sendRaw("DELETE /echo HTTP/1.1\r\nHost: a\r\n\r\n");
            assertThat(client.readAll().status()).isEqualTo(200);
            assertThat(harness.mock.requests().get(0).headers().get("content-length"))
                    .isEqualTo("0");
            assertThat(harness.mock.requests().get(1).headers().get("content-length"))
                    .isEqualTo("0");
            assertThat(harness.mock.requests().get(2).headers().contains("content-length"))
                    .isFalse();
        }
    }

    @Test
    void readsAClientNoFasterThanItsUpstreamTakes() throws Exception {
        var read = new CountDownLatch(1);
        var total = new AtomicLong();
        int size = 24 << 20;
        try (var upstream = ScriptedUpstream.start(connection -> {
                    connection.socket().setReceiveBufferSize(64 * 1024);
                    awaitUninterruptibly(read);
                    byte[] buffer = new byte[64 * 1024];
                    while (total.get() < size) {
                        int count = connection.socket().getInputStream().read(buffer);
                        total.addAndGet(count);
                    }
                    connection.send(OK);
                });
                var harness = to(upstream, config -> config);
                var client = harness.client()) {
            var sent = new AtomicLong();
            var sender = new Thread(() -> {
                try {
                    client.sendRaw("POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: " + size + "\r\n\r\n");
                    byte[] part = new byte[64 * 1024];
                    while (sent.get() < size) {
                        client.sendRaw(part);
                        sent.addAndGet(part.length);
                    }
                } catch (IOException e) {
                    throw new AssertionError(e);
                }
            });
            sender.start();
            var before = new AtomicLong(-1);
            await().pollInterval(Duration.ofMillis(300)).until(() -> before.getAndSet(sent.get()) == sent.get());
            assertThat(sent.get())
                    .as("what the kernel's buffers and the relay took")
                    .isLessThan(size);
            read.countDown();
            assertThat(client.readAll().text()).isEqualTo("ok");
            sender.join();
            assertThat(total.get()).isGreaterThanOrEqualTo(size);
        }
    }

    @Test
    void refusesABodyOverTheLimitInEitherFraming() throws IOException {
        try (var harness =
                RelayHarness.start(config -> config.with(c -> c.limits = Limits.DEFAULT.with(l -> l.body = 1000)))) {
            String half = "a".repeat(500);
            for (String request : List.of(
                    "Content-Length: 1001\r\n\r\n" + half + half + "a",
                    "Content-Length: 1001\r\n\r\n",
                    "Transfer-Encoding: chunked\r\n\r\n1f4\r\n" + half + "\r\n1f5\r\n" + half + "a\r\n0\r\n\r\n")) {
                try (var client = harness.client()) {
                    client.sendRaw("POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\n" + request);
                    RawClient.Response response = client.readAll();
                    assertThat(response.status()).isEqualTo(413);
                    assertThat(response.text()).contains("1000 bytes");
                    assertThat(client.read()).isEqualTo(-1);
                }
            }
            try (var client = harness.client()) {
                client.sendRaw("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n" + half + half);
                assertThat(client.readAll().status()).isEqualTo(200);
            }
            assertThat(harness.mock.requests()).hasSize(1);
        }
    }

    @Test
    void answersThatABodyStoppedArriving() throws IOException {
        try (var harness = RelayHarness.start(config -> RelayHarness.withTimeouts(config, SHORT));
                var client = harness.client()) {
            client.sendRaw("POST /v1/messages HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello");
            RawClient.Response response = client.readAll();
            assertThat(response.status()).isEqualTo(408);
            assertThat(response.text()).startsWith("{\"type\":\"error\"").contains("stopped arriving");
            assertThat(client.read()).isEqualTo(-1);
            await().until(() -> harness.mock.stats().openConnections() == 0);
            assertThat(harness.mock.stats().requests()).isZero();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"Content-Length: 8192\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n"})
    void cutsABodyThatTricklesAndGivesItNoConnection(String framing) throws IOException {
        boolean chunked = framing.startsWith("T");
        try (var harness = RelayHarness.start(config -> RelayHarness.withTimeouts(config, SHORT)
                        .with(c -> c.limits = Limits.DEFAULT.with(l -> l.bodyRate = 10 * 1024)));
                var client = harness.client()) {
            client.sendRaw("POST /v1/messages HTTP/1.1\r\nHost: a\r\n" + framing);
            var trickle = new Thread(() -> trickle(client, chunked ? "1\r\na\r\n" : "a"));
            trickle.start();
            RawClient.Response response = client.readAll();
            assertThat(response.status()).isEqualTo(408);
            assertThat(response.text()).startsWith("{\"type\":\"error\"").contains("less than 10240 bytes a second");
            assertThat(harness.mock.stats().requests()).isZero();
            assertThat(harness.mock.stats().openConnections()).isZero();
        }
    }

    @Test
    void servesABodyThatIsSlowAndFastEnough() throws IOException {
        Timeouts timeouts = SHORT.with(t -> t.requestBodyIdle = Duration.ofSeconds(2));
        try (var harness = RelayHarness.start(config -> RelayHarness.withTimeouts(config, timeouts)
                        .with(c -> c.limits = Limits.DEFAULT.with(l -> l.bodyRate = 100)));
                var client = harness.client()) {
            client.sendRaw("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4000\r\n\r\n");
            var sent = new AtomicLong();
            await().pollInterval(Duration.ofMillis(20)).until(() -> {
                client.sendRaw("a".repeat(100));
                return sent.addAndGet(100) == 4000;
            });
            assertThat(client.readAll().status()).isEqualTo(200);
        }
    }

    @Test
    void cutsABodyThatBeginsFastAndThenTrickles() throws IOException {
        try (var harness = RelayHarness.start(config -> RelayHarness.withTimeouts(config, SHORT)
                        .with(c -> c.limits = Limits.DEFAULT.with(l -> l.bodyRate = 10 * 1024)));
                var client = harness.client()) {
            client.sendRaw(
                    "POST /v1/messages HTTP/1.1\r\nHost: a\r\nContent-Length: 10000000\r\n\r\n" + "a".repeat(1 << 20));
            new Thread(() -> trickle(client, "a")).start();
            assertThat(client.readAll().status()).isEqualTo(408);
        }
    }

    @Test
    void asksNoUpstreamForABodyThatIsNotThere() throws IOException {
        try (var harness = RelayHarness.start();
                var client = harness.client()) {
            client.sendRaw("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 20000\r\n\r\n" + "a".repeat(10_000));
            await().during(Duration.ofMillis(100))
                    .until(() -> harness.mock.stats().openConnections() == 0);
            client.sendRaw("a".repeat(9_000));
            await().until(() -> harness.mock.stats().openConnections() == 1);
            client.sendRaw("a".repeat(1_000));
            assertThat(client.readAll().status()).isEqualTo(200);
        }
    }

    @Tag("h1") // a head in parts; Http2Test ends one that does not come to its end
    @ParameterizedTest
    @ValueSource(strings = {"G", "GET / HTTP/1.1\r\nHost: a\r\n", "GET / HTTP/1.1\r\nHost: a\r\n\r"})
    void answersThatAHeadDidNotArrive(String start) throws IOException {
        try (var harness = RelayHarness.start(config -> RelayHarness.withTimeouts(config, SHORT));
                var client = harness.client()) {
            client.sendRaw(start);
            assertThat(client.readAll().status()).isEqualTo(408);
            assertThat(client.read()).isEqualTo(-1);
            awaitNoConnections(client, harness);
        }
    }

    @Tag("h1") // a head in parts; Http2Test ends one that does not come to its end
    @Test
    void boundsAHeadThatTricklesBehindAServedRequest() throws IOException {
        try (var harness = RelayHarness.start(config ->
                        RelayHarness.withTimeouts(config, SHORT.with(t -> t.keepAlive = Duration.ofMinutes(5))));
                var client = harness.client()) {
            client.sendRaw("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\nGET /healthz HT");
            assertThat(client.readAll().status()).isEqualTo(200);
            assertThat(client.readAll().status()).isEqualTo(408);
            awaitNoConnections(client, harness);
        }
    }

    @Test
    void closesAnIdleConnection() throws IOException {
        try (var harness = RelayHarness.start(config -> RelayHarness.withTimeouts(config, SHORT));
                var silent = harness.client();
                var client = harness.client()) {
            client.send("GET", "/healthz", "");
            assertThat(client.readAll().status()).isEqualTo(200);
            assertThat(client.read()).isEqualTo(-1);
            assertThat(silent.read()).isEqualTo(-1);
        }
    }

    @Tag("h1") // the field Connection; Http2Test has the GOAWAY
    @Test
    void closesAfterTheLastRequestThatAConnectionMayCarry() throws IOException {
        try (var harness = RelayHarness.start(
                        config -> config.with(c -> c.limits = Limits.DEFAULT.with(l -> l.requestsPerConnection = 3)));
                var client = harness.client()) {
            for (int i = 1; i <= 3; i++) {
                client.send("GET", "/echo", "");
                assertThat(client.readAll().header("connection")).isEqualTo(i < 3 ? null : "close");
            }
            assertThat(client.read()).isEqualTo(-1);
        }
    }

    @Tag("h1") // pipelined
    @Test
    void keepsWhatIsSentAheadUpToItsBound() throws IOException {
        try (var harness = RelayHarness.start();
                var client = harness.client()) {
            client.post(RelayHarness.withSpec("/v1/chat/completions", "tokens=20,gap_ms=10"), "m", "");
            String head = client.readHead();
            String next = "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 60000\r\n\r\n";
            client.sendRaw(next + "a".repeat(60_000));
            assertThat(client.readBody(head).text()).endsWith("data: [DONE]\n\n");
            assertThat(client.readAll().text()).contains("\"body_length\":60000");
        }
    }

    @Test
    void refusesMoreConnectionsThanAllowed() throws IOException {
        try (var harness = RelayHarness.start(
                        config -> config.with(c -> c.limits = Limits.DEFAULT.with(l -> l.connections = 2)));
                var first = harness.client();
                var second = harness.client()) {
            for (var client : List.of(first, second)) {
                client.send("GET", "/healthz", "");
                assertThat(client.readAll().status()).isEqualTo(200);
            }
            try (var third = harness.client()) {
                third.send("GET", "/healthz", "");
                RawClient.Response response = third.readAll();
                assertThat(response.status()).isEqualTo(503);
                assertThat(response.header("retry-after")).isEqualTo("1");
                assertThat(response.text()).contains("relay_overloaded");
                assertThat(third.read()).isEqualTo(-1);
            }
            first.reset();
            await().until(() -> {
                try (var again = harness.client()) {
                    again.send("GET", "/healthz", "");
                    return again.readAll().status() == 200;
                }
            });
        }
    }

    @Test
    void sendsARequestAgainThatMetAStaleConnection() throws IOException {
        try (var upstream = stale("");
                var harness = to(upstream, config -> config);
                var client = harness.client()) {
            for (String body : List.of("one", "two")) {
                client.send("POST", "/v1/chat/completions", body);
                RawClient.Response response = client.readAll();
                assertThat(response.status()).isEqualTo(200);
                assertThat(response.text()).isEqualTo("ok");
            }
            assertThat(upstream.requests()).hasSize(3);
            assertThat(upstream.requests().get(2))
                    .isEqualTo(upstream.requests().get(1))
                    .endsWith("two");
            assertThat(upstream.connections()).isEqualTo(2);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"H", "HTTP/1.1 200", "HTTP/1.1 200 OK\r\nX", "HTTP/1.1 103 Early Hints\r\n\r\n"})
    void neverSendsARequestAgainAfterAByteOfItsResponse(String part) throws IOException {
        try (var upstream = stale(part);
                var harness = to(upstream, RequestBodyTest::withoutRetries);
                var client = harness.client()) {
            client.send("POST", "/v1/embeddings", "one");
            assertThat(client.readAll().status()).isEqualTo(200);
            client.send("POST", "/v1/embeddings", "two");
            assertThat(client.readAll().status()).isEqualTo(502);
            assertThat(upstream.requests()).hasSize(2);
        }
    }

    @Test
    void triesAFreshConnectionOnceOnly() throws IOException {
        try (var upstream = ScriptedUpstream.start(connection -> {
                    if (connection.number() == 1) {
                        connection.readRequest();
                        connection.send(OK);
                    }
                    connection.read();
                });
                var harness = to(
                        upstream, config -> RelayHarness.withRetry(config, Retry.DEFAULT.with(t -> t.attempts = 1)));
                var client = harness.client()) {
            client.send("POST", "/v1/chat/completions", "one");
            assertThat(client.readAll().status()).isEqualTo(200);
            client.sendRaw("POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Length: 40000\r\n\r\n"
                    + "half".repeat(5000));
            assertThat(client.readAll().status()).isEqualTo(502);
            assertThat(upstream.connections()).isEqualTo(2);
        }
    }

    @Test
    void doesNotSendALongBodyAgainThatWasReadWholly() throws IOException {
        try (var upstream = ScriptedUpstream.start(ScriptedUpstream.Connection::readRequest);
                var harness = to(upstream, config -> RelayHarness.withRetry(config, Retry.OFF));
                var client = harness.client()) {
            client.send("POST", "/v1/files", "a".repeat(4 << 20));
            assertThat(client.readAll().status()).isEqualTo(502);
            assertThat(upstream.requests()).hasSize(1);
        }
    }

    @Test
    void sendsARewrittenBodyAgainAsItWas() throws IOException {
        try (var upstream = stale("");
                var harness = to(
                        upstream,
                        config -> config.with(c -> c.routes = List.of(RelayHarness.withRewriteModel(
                                Route.of("alias", Match.models("alias"), "default"), "a-real-model"))));
                var client = harness.client()) {
            for (int i = 0; i < 2; i++) {
                client.send("POST", "/v1/chat/completions", "{\"model\":\"alias\"}");
                assertThat(client.readAll().status()).isEqualTo(200);
            }
            assertThat(upstream.requests())
                    .hasSize(3)
                    .allMatch(request -> request.endsWith("{\"model\":\"a-real-model\"}"));
        }
    }

    @Test
    void relaysAnAnswerThatComesBeforeTheBodyIsComplete() throws IOException {
        try (var upstream = ScriptedUpstream.start(connection -> {
                    String line = "";
                    while (!line.endsWith("\r\n\r\n")) {
                        line += (char) connection.read();
                    }
                    connection.send("HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno");
                    while (connection.read() >= 0) {
                        // what of the body was on its way
                    }
                });
                var harness = to(upstream, config -> config);
                var client = harness.client()) {
            client.sendRaw("POST /v1/files HTTP/1.1\r\nHost: a\r\nContent-Length: 20100\r\n\r\n" + "a".repeat(20_000));
            RawClient.Response response = client.readAll();
            assertThat(response.status()).isEqualTo(401);
            assertThat(response.text()).isEqualTo("no");
            client.sendRaw("a".repeat(100));
            assertThat(client.read()).isEqualTo(-1);
        }
    }

    @Test
    void keepsSmallBodiesWhateverTheOthersTake() {
        int small = RequestBody.ALWAYS_KEPT;
        var account = new MemoryAccount(1, new MemoryBudget(8L * small, 1));
        var bodies = new ArrayList<RequestBody>();
        for (int i = 0; i < 6; i++) {
            bodies.add(new RequestBody(UnpooledByteBufAllocator.DEFAULT, account.loop(0)));
        }
        for (RequestBody body : bodies) {
            assertThat(body.add(Unpooled.wrappedBuffer(new byte[small]))).isTrue();
        }
        ByteBuf more = Unpooled.wrappedBuffer(new byte[1]);
        assertThat(bodies.get(0).add(more)).isFalse();
        bodies.get(1).drop();
        bodies.get(2).drop();
        bodies.get(3).drop();
        assertThat(bodies.get(0).add(more)).isTrue();
        ByteBuf tooMuch = Unpooled.wrappedBuffer(new byte[small]);
        assertThat(bodies.get(0).add(tooMuch)).as("more than the share of one").isFalse();
        tooMuch.release();
        assertThat(account.held(Held.REQUESTS)).isEqualTo(3L * small + 1);
        bodies.forEach(RequestBody::drop);
        assertThat(account.held(Held.REQUESTS)).isZero();
    }

    @Test
    void letsGoOfAPartForWhichThereIsNoMemory() {
        var account = new MemoryAccount(1, new MemoryBudget(1 << 30, 1));
        var body = new RequestBody(new Exhausted(), account.loop(0));
        assertThat(body.add(Unpooled.wrappedBuffer(new byte[100]))).isTrue();
        ByteBuf part = Unpooled.wrappedBuffer(new byte[100]);
        assertThatThrownBy(() -> body.add(part)).isInstanceOf(OutOfMemoryError.class);
        assertThat(part.refCnt()).isZero();
        body.drop();
        assertThat(account.held(Held.REQUESTS)).isZero();
    }

    /** Has no memory left. */
    private static final class Exhausted extends AbstractByteBufAllocator {
        @Override
        protected ByteBuf newHeapBuffer(int initialCapacity, int maxCapacity) {
            throw new OutOfMemoryError("none left");
        }

        @Override
        protected ByteBuf newDirectBuffer(int initialCapacity, int maxCapacity) {
            throw new OutOfMemoryError("none left");
        }

        @Override
        public boolean isDirectBufferPooled() {
            return false;
        }
    }

    @Test
    void keepsPartsOfAnySizeInTheirOrder() {
        var account = new MemoryAccount(1, new MemoryBudget(1 << 30, 1));
        var random = new Random(5);
        for (int round = 0; round < 50; round++) {
            var body = new RequestBody(UnpooledByteBufAllocator.DEFAULT, account.loop(0));
            var expected = Unpooled.buffer();
            for (int part = random.nextInt(60); part > 0; part--) {
                byte[] bytes = new byte[1 + random.nextInt(random.nextBoolean() ? 40 : 40_000)];
                random.nextBytes(bytes);
                expected.writeBytes(bytes);
                assertThat(body.add(Unpooled.copiedBuffer(bytes))).isTrue();
            }
            assertThat(body.bytes()).isEqualTo(expected);
            assertThat(body.held()).isEqualTo(expected.readableBytes());
            expected.release();
            body.drop();
        }
    }

    @Test
    void replacesAPartOfABody() {
        var account = new MemoryAccount(1, new MemoryBudget(1 << 30, 1));
        var first = new RequestBody(UnpooledByteBufAllocator.DEFAULT, account.loop(0));
        assertThat(first.add(Unpooled.copiedBuffer("sixsix", StandardCharsets.US_ASCII)))
                .isTrue();
        ByteBuf changed = RequestBody.replace(
                first.bytes().retainedSlice(), 0, 3, Unpooled.copiedBuffer("seven", StandardCharsets.US_ASCII));
        assertThat(changed.toString(StandardCharsets.US_ASCII)).isEqualTo("sevensix");
        assertThat(first.bytes().toString(StandardCharsets.US_ASCII)).isEqualTo("sixsix");
        changed.release();
        first.drop();
        first.drop();
        assertThat(account.held(Held.REQUESTS)).isZero();
    }

    private static void trickle(RawClient client, String part) {
        try {
            client.socket().setTcpNoDelay(true);
            while (true) {
                client.sendRaw(part);
                LockSupport.parkNanos(10_000_000);
            }
        } catch (IOException e) {
            // refused, as it should be
        }
    }

    /** What a connection holds is released when it closes, which the loops' own end does not wait for. */
    private static void awaitNoConnections(RawClient client, RelayHarness harness) throws IOException {
        client.socket().shutdownOutput();
        await().until(() -> harness.relay.metrics().openConnections() == 0);
    }

    /** Serves one request on its first connection, takes a second, sends {@code part} and closes; then serves all. */
    private static ScriptedUpstream stale(String part) throws IOException {
        return ScriptedUpstream.start(connection -> {
            boolean first = connection.number() == 1;
            while (connection.readRequest() != null) {
                connection.send(OK);
                if (first) {
                    connection.readRequest();
                    connection.send(part);
                    return;
                }
            }
        });
    }

    private static RelayConfig withoutRetries(RelayConfig config) {
        return RelayHarness.withRetry(config, Retry.DEFAULT.with(t -> t.attempts = 1));
    }

    private static RelayHarness to(ScriptedUpstream upstream, UnaryOperator<RelayConfig> change) {
        RelayConfig config = RelayConfig.relayTo(upstream.uri())
                .with(c -> c.accessLog = AccessLog.OFF)
                .with(c -> c.eventLoops = 1);
        return RelayHarness.start(MockConfig.defaults(), ignored -> change.apply(config));
    }

    private static void awaitUninterruptibly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
