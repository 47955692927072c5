package io.millrace.server.warmup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millrace.server.config.RelayConfig;
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
