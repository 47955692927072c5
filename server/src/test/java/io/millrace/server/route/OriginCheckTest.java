package io.millrace.server.route;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.server.balance.OriginState;
import io.millrace.server.balance.UpstreamState;
import io.millrace.server.config.Credential;
import io.millrace.server.config.Credential.Secret;
import io.millrace.server.config.Health;
import io.millrace.server.config.Upstream;
import io.millrace.server.test.FakeUpstreams;
import io.millrace.server.test.ScriptedUpstream;
import io.millrace.server.timing.Sweeper;
import io.millrace.server.transport.Transport;
import io.millrace.server.upstream.ConnectFailure;
import io.millrace.server.upstream.Connector;
import io.millrace.server.upstream.Origin;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Tag("sockets")
class OriginCheckTest {
    private static final Duration INTERVAL = Duration.ofMillis(100);
    private static final String WELL = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    private static final String REDIRECT = "HTTP/1.1 307 T\r\nContent-Length: 0\r\n\r\n";
    private static final String STREAM =
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 12\r\n\r\ndata: ok\n\n\n\n";
    private static final String UNAVAILABLE = "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n";
    private static final String FORBIDDEN = "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n";
    private static final String RESET = "";
    private static final String SILENCE = "silence";

    private static EventLoopGroup group;
    private static Connector connector;

    private final OriginState state = new UpstreamState(Upstream.of("o", URI.create("http://o")))
            .origins()
            .get(0);
    private final EventLoop loop = group.next();
    private OriginCheck check;
    private volatile String answer = WELL;

    @BeforeAll
    static void start() {
        Transport transport = Transport.best();
        group = transport.newEventLoops(1, "origin-check-test");
        connector = new Connector(transport);
    }

    @AfterAll
    static void stop() {
        connector.close();
        group.shutdownGracefully(0, 10, TimeUnit.SECONDS).awaitUninterruptibly();
    }

    @AfterEach
    void stopChecking() throws Exception {
        loop.submit(check::close).get(5, TimeUnit.SECONDS);
    }

    @ParameterizedTest
    @ValueSource(strings = {UNAVAILABLE, FORBIDDEN, RESET, SILENCE})
    void originIsDownWhileItsChecksFailAndWellWhenTheySucceedAgain(String failure) throws Exception {
        try (var origin = origin()) {
            check(origin.uri());
            until(() -> origin.requests().size() >= 4 && !state.isDown());

            answer = failure;
            until(state::isDown);
            assertThat(state.admits(System.nanoTime())).isFalse();

            answer = WELL;
            until(() -> !state.isDown());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {WELL, REDIRECT, STREAM})
    void anyAnswerBelow400IsSuccess(String success) throws Exception {
        answer = success;
        try (var origin = origin()) {
            check(origin.uri());
            until(() -> origin.requests().size() >= 4 && !state.isDown());
        }
    }

    @Test
    void originThatCannotBeReachedIsDown() throws Exception {
        URI nobody;
        try (var origin = origin()) {
            nobody = origin.uri();
        }
        check(nobody);

        until(state::isDown);
    }

    @Test
    void asksForThePathAtTheOriginsRootWithTheUpstreamsKey() throws Exception {
        try (var origin = origin()) {
            check(origin.uri());
            until(() -> !origin.requests().isEmpty());

            assertThat(origin.requests().get(0))
                    .startsWith("GET /health?deep=1 HTTP/1.1\r\n")
                    .containsIgnoringCase("\r\nhost: " + origin.uri().getAuthority() + "\r\n")
                    .containsIgnoringCase("\r\nauthorization: Bearer k\r\n");
        }
    }

    @Test
    void lateFailureOfOneCheckDoesNotAnswerTheNext() throws Exception {
        var upstreams = new FakeUpstreams();
        var upstream = Upstream.of("u", URI.create("http://127.0.0.1:1"))
                .with(u -> u.health =
                        Health.DEFAULT.with(h -> h.probePath = "/").with(h -> h.probeInterval = Duration.ofDays(1)));
        check = new OriginCheck(upstream, null, upstreams, loop, state);

        loop.submit(() -> {
                    check.start();
                    check.check();
                    FakeUpstreams.Asked first = upstreams.next();
                    check.check();
                    // The first has failed for want of an answer; two failures in a row would be too many.
                    first.refuse(ConnectFailure.Kind.TIMEOUT);
                    assertThat(state.isDown()).isFalse();
                    upstreams.next().refuse(ConnectFailure.Kind.FULL);
                    check.check();
                    upstreams.next().refuse(ConnectFailure.Kind.TIMEOUT);
                    assertThat(state.isDown()).isFalse();
                })
                .get(5, TimeUnit.SECONDS);
    }

    private ScriptedUpstream origin() throws IOException {
        return ScriptedUpstream.start(connection -> {
            connection.readRequest();
            if (answer.equals(SILENCE)) {
                connection.read();
            } else if (answer.equals(RESET)) {
                connection.reset();
            } else {
                connection.send(answer);
                connection.read();
            }
        });
    }

    private void check(URI uri) {
        var upstream = Upstream.of("u", URI.create(uri + "/v1"))
                .with(u -> u.health =
                        Health.DEFAULT.with(h -> h.probePath = "/health?deep=1").with(h -> h.probeInterval = INTERVAL))
                .with(u -> u.credential = new Credential("authorization", "Bearer ", Secret.of("k", "env: KEY")));
        var origin = new Origin(
                "u", upstream.host(), upstream.port(), null, null, 10, 1_000_000_000L, 1000, Upstream.Http.DEFAULT);
        check = new OriginCheck(
                upstream,
                origin,
                connector.upstreams(new Sweeper(loop, 1_000_000L), (name, tookNs) -> {}),
                loop,
                state);
        loop.execute(check::start);
    }

    /** The first checks of a cold process may take longer than the interval: what counts is where it settles. */
    private static void until(BooleanSupplier condition) {
        long deadlineNs = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime()).as("deadline").isLessThan(deadlineNs);
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(2));
        }
    }
}
