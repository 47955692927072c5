package io.millrace.server.warmup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millrace.server.config.ListenAddress.HostAndPort;
import io.millrace.server.config.Listener;
import io.millrace.server.config.RelayConfig;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
@Tag("sockets")
class WarmUpTest {
    @Test
    void relaysStreamsUntilItIsWarm() throws InterruptedException {
        var warm = new AtomicBoolean();

        var warmUp = WarmUp.start(RelayConfig.defaults(), () -> false, warm::get);
        await().until(() -> warmUp.relayed() > 400); // of every kind and dialect, and some were left
        warm.set(true);

        warmUp.join();
        assertThat(warmUp.relayed()).isGreaterThan(400);
        assertThat(warmUp.failed()).isFalse();
    }

    /** Each way has its turn for some hundred streams. */
    @Test
    void practisesWhatTheListenersOffer() throws InterruptedException {
        var warm = new AtomicBoolean();
        var address = new HostAndPort("127.0.0.1", 0);
        var files = new Listener.Tls.Certificate(Path.of("not.pem"), Path.of("read.key"));
        Listener secure = Listener.at(address)
                .with(l -> l.tls = Listener.Tls.DEFAULT.with(tls -> tls.certificates = List.of(files)));

        var warmUp = WarmUp.start(
                RelayConfig.defaults().with(c -> c.listeners = List.of(Listener.at(address), secure)),
                () -> false,
                warm::get);
        await().atMost(Duration.ofSeconds(30)).until(() -> warmUp.practised().size() == 3 || warmUp.failed());
        warm.set(true);

        warmUp.join();
        assertThat(warmUp.failed()).isFalse();
        assertThat(warmUp.practised()).containsExactlyInAnyOrder("http/1.1", "http/1.1 with TLS", "h2 with TLS");
    }

    @Test
    void stepsBackWhileTheRelayIsBusy() throws InterruptedException {
        var busy = new AtomicBoolean(true);
        var asked = new AtomicInteger();

        var warmUp = WarmUp.start(
                RelayConfig.defaults(),
                () -> {
                    asked.incrementAndGet();
                    return busy.get();
                },
                () -> false);
        await().until(() -> asked.get() > 20);
        assertThat(warmUp.relayed()).isZero();
        busy.set(false);
        await().until(() -> warmUp.relayed() > 0);

        warmUp.close();
        warmUp.join();
    }

    @Test
    void endsWhenItIsClosed() throws InterruptedException {
        var warmUp = WarmUp.start(RelayConfig.defaults(), () -> false, () -> false);

        warmUp.close();

        warmUp.join();
        assertThat(warmUp.failed()).isFalse();
    }

    @Test
    void isWarmOnceTheCompilerRests() {
        var rest = new CompilerRest();

        await().pollInterval(java.time.Duration.ofNanos(CompilerRest.PERIOD_NS)).until(rest::getAsBoolean);

        assertThat(rest.getAsBoolean()).isTrue();
    }
}
