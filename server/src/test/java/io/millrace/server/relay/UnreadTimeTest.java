package io.millrace.server.relay;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.server.config.Route.Disconnect;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** The limits of a stream that nobody reads: 60 s, or 10,000 frames of output. */
class UnreadTimeTest {
    private static final long BEGIN_NS = TimeUnit.SECONDS.toNanos(1_000);

    private final UnreadTime unread = new UnreadTime(Disconnect.DETACH);

    @Test
    void aReaderAfter59SecondsBeginsTheTimeAnew() {
        unread.begin(BEGIN_NS, 7);
        assertThat(look(59, false, 7)).isNull();
        assertThat(look(59.5, true, 7)).isNull();
        assertThat(look(119, false, 7)).isNull();
        assertThat(look(119.6, false, 7)).isEqualTo("Nobody read the stream for 60.0 s");
        assertThat(TimeUnit.NANOSECONDS.toMillis(unread.totalNs())).isEqualTo(59_000 + 60_100);
    }

    @Test
    void aReaderAfter61SecondsIsTooLate() {
        unread.begin(BEGIN_NS, 0);
        assertThat(look(59.9, false, 0)).isNull();
        assertThat(look(60, false, 0)).startsWith("Nobody read the stream for 60.0 s");
    }

    @Test
    void framesCountFromTheLastReader() {
        unread.begin(BEGIN_NS, 5);
        assertThat(look(1, false, 10_004)).isNull();
        assertThat(look(2, true, 20_000)).isNull();
        assertThat(look(3, false, 29_999)).isNull();
        assertThat(look(4, false, 30_000)).isEqualTo("Nobody read the stream for 10000 frames of output");
    }

    private String look(double seconds, boolean read, long frames) {
        return unread.look(BEGIN_NS + (long) (seconds * 1e9), read, frames);
    }
}
