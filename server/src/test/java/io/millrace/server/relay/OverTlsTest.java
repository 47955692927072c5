package io.millrace.server.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.server.EventLoopHold;
import io.millrace.server.config.Limits;
import io.millrace.server.test.Certificates;
import io.millrace.server.test.RawClient;
import io.millrace.server.test.RelayHarness;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests that depend on a client's socket, repeated with TLS. Clients speak HTTP/1.1 there in any case. */
@Tag("sockets")
@Tag("h1")
class OverTlsTest {
    @BeforeAll
    static void encrypt(@TempDir Path directory) throws Exception {
        RelayHarness.speakTls(Certificates.in(directory));
    }

    @AfterAll
    static void endEncryption() {
        RelayHarness.speakTls(null);
    }

    @Nested
    class Backpressure extends BackpressureTest {}

    @Nested
    class ClientGone extends ClientGoneTest {}

    @Nested
    class CutStream extends CutStreamTest {
        /** Each cut takes a handshake, and the place within a frame is nothing that TLS sees. */
        @Override
        int randomCuts() {
            return 20;
        }
    }

    @Nested
    class Drain extends DrainTest {
        /** Clients with TLS wait for the relay's part of the handshake, so each has a thread. */
        @Test
        @Override
        void servesThoseWhoWaitAtTheListener() throws Exception {
            try (var harness = RelayHarness.start(config -> config.with(c -> c.eventLoops = 2))) {
                EventLoopHold hold = EventLoopHold.on(harness.relay);
                var answers = new ArrayList<CompletableFuture<RawClient.Response>>();
                CompletableFuture<Void> drained;
                try {
                    drained = harness.relay.drain();
                    for (int i = 0; i < 20; i++) {
                        RawClient client = harness.client();
                        answers.add(CompletableFuture.supplyAsync(() -> echo(client)));
                    }
                } finally {
                    hold.release();
                }
                for (CompletableFuture<RawClient.Response> answer : answers) {
                    assertThat(answer.get(10, TimeUnit.SECONDS).status()).isEqualTo(200);
                    assertThat(answer.get().header("connection")).isEqualTo("close");
                }
                drained.get(5, TimeUnit.SECONDS);
            }
        }

        private static RawClient.Response echo(RawClient client) {
            try (client) {
                client.send("GET", "/echo", "");
                return client.readAll();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    @Nested
    class KeepAlive extends KeepAliveTest {}

    @Nested
    class EarlyAnswer extends EarlyAnswerTest {}

    @Nested
    class Requests extends RequestBodyTest {
        /** A handshake to say no costs more than the client is due. */
        @Test
        @Override
        void refusesMoreConnectionsThanAllowed() throws IOException {
            try (var harness = RelayHarness.start(
                            config -> config.with(c -> c.limits = Limits.DEFAULT.with(l -> l.connections = 1)));
                    var first = harness.client();
                    var second = harness.client()) {
                first.send("GET", "/healthz", "");
                assertThat(first.readAll().status()).isEqualTo(200);
                assertThatThrownBy(() -> second.send("GET", "/healthz", "")).isInstanceOf(IOException.class);
            }
        }
    }
}
