package io.millrace.server.live;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.codec.sse.SseEvent;
import io.millrace.server.balance.OriginAttempt;
import io.millrace.server.balance.OriginState;
import io.millrace.server.balance.UpstreamState;
import io.millrace.server.config.Upstream;
import io.millrace.server.downstream.ClientStream;
import io.millrace.server.live.LiveStream.State;
import io.millrace.server.test.Events;
import io.millrace.server.test.FakeClientStream;
import io.netty.channel.EventLoop;
import io.netty.channel.embedded.EmbeddedChannel;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** When streams are looked at for a watcher, without sockets. */
class LiveExchangeTest {
    private final FakeClientStream client = new FakeClientStream();
    private final List<LiveStream> streams = new ArrayList<>();
    private long tookNs;
    private int rounds;
    private int done;
    private int left;
    private boolean draining;
    private final LiveHistory history = new LiveHistory(List.of(), () -> false, new EmbeddedChannel().eventLoop());
    private final UpstreamState upstream = new UpstreamState(Upstream.of("main", URI.create("http://127.0.0.1:1")));

    private final LiveSource source = new LiveSource() {
        @Override
        public List<Loop> loops() {
            rounds++;
            Loop loop = (each, shown) -> {
                streams.forEach(each);
                shown.accept(tookNs);
            };
            return List.of(loop, (each, shown) -> shown.accept(0));
        }

        @Override
        public Map<String, UpstreamState> upstreams() {
            return Map.of("main", upstream);
        }

        @Override
        public LiveHistory history() {
            return history;
        }

        @Override
        public boolean isDraining() {
            return draining;
        }

        @Override
        public void stop(String id, EventLoop asking, Consumer<Boolean> told) {
            throw new AssertionError(id);
        }
    };

    private final LiveExchange exchange =
            new LiveExchange(client, LiveQuery.of(""), source, () -> done++, () -> left++);

    @Test
    void looksAtStreamsOnlyWhileItsClientTakesWhatComes() {
        assertThat(rounds).as("before the request is read").isZero();
        exchange.onRequestEnd();
        client.pass(Duration.ZERO);
        assertThat(client.head().headers().get("content-type")).isEqualTo("text/event-stream");
        assertThat(client.head().headers().get("cache-control")).isEqualTo("no-store");
        assertThat(Events.of(client.body())).extracting(SseEvent::type).containsExactly("streams", "upstreams");
        assertThat(done).isOne();

        client.pass(Duration.ofMillis(499));
        assertThat(rounds).isOne();
        client.pass(Duration.ofMillis(1));
        assertThat(rounds).isEqualTo(2);
        assertThat(Events.of(client.body())).as("upstreams are as before").hasSize(3);

        client.takesNothing(true);
        pass(20);
        assertThat(rounds).as("none while it takes nothing").isEqualTo(2);
        client.takesNothing(false);
        assertThat(Events.of(client.body()))
                .as("nothing is collected for a client that reads nothing")
                .hasSize(3);
        streams.add(stream());
        pass(20);
        assertThat(client.body()).as("what it missed").contains("\"id\":\"a\"");

        exchange.onClientGone("closed");
        int before = rounds;
        pass(20);
        assertThat(rounds).isEqualTo(before);
        assertThat(left).isOne();
        assertThat(done).isOne();
    }

    @Test
    void looksMoreRarelyTheMoreWorkItIs() {
        assertThat(LiveExchange.pauseNs(0)).isEqualTo(Duration.ofMillis(500).toNanos());
        assertThat(LiveExchange.pauseNs(Duration.ofMillis(1).toNanos()))
                .isEqualTo(Duration.ofMillis(500).toNanos());
        assertThat(LiveExchange.pauseNs(Duration.ofMillis(20).toNanos()))
                .isEqualTo(Duration.ofSeconds(6).toNanos());

        tookNs = Duration.ofMillis(100).toNanos();
        exchange.onRequestEnd();
        pass(1);
        assertThat(rounds).as("one round may have met another delay").isEqualTo(2);
        pass(29);
        assertThat(rounds).isEqualTo(2);
        pass(1);
        assertThat(rounds).isEqualTo(3);
    }

    @Test
    void tellsWhatHappensToAnOrigin() {
        exchange.onRequestEnd();
        pass(1);
        OriginState origin = upstream.origins().get(0);
        OriginAttempt attempt = origin.onStart(System.nanoTime());
        pass(1);
        assertThat(client.body()).contains("\"serving\":\"yes\",\"left\":0,\"warming\":false,\"inFlight\":1");
        attempt.onFailure(System.nanoTime(), 0);
        for (int i = 0; i < 9; i++) {
            origin.onStart(System.nanoTime()).onFailure(System.nanoTime(), 0);
        }
        pass(1);
        assertThat(client.body()).contains("\"serving\":\"ejected\"").contains("\"ejections\":1");
    }

    @Test
    void endsWithTheLastStreamWhileTheRelayDrains() {
        streams.add(stream());
        draining = true;
        exchange.onRequestEnd();
        pass(3);
        assertThat(client.ended())
                .as("who stops the relay sees what it waits for")
                .isNull();

        streams.clear();
        pass(3);
        assertThat(client.ended()).isEqualTo(ClientStream.End.WHOLE);
        assertThat(left).isOne();
    }

    @Test
    void isOverWithARequestThatIsRefused() {
        exchange.onRequestRefused(408, "request_timeout", "Too slow.");
        exchange.onClientGone("closed");
        assertThat(client.status()).isEqualTo(408);
        assertThat(rounds).isZero();
        assertThat(done).isOne();
        assertThat(left).isOne();
    }

    private void pass(int seconds) {
        for (int i = 0; i < 10 * seconds; i++) {
            client.pass(Duration.ofMillis(100));
        }
    }

    private static LiveStream stream() {
        return new LiveStream("a", null, null, "/x", null, null, null, 1, State.WAITING, 0, -1, 0, 0, 0, 0);
    }
}
