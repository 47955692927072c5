package io.millrace.server.config;

import io.millrace.codec.dialect.HeartbeatForm;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Written between frames after a silence, so that no intermediary takes the stream for dead.
 *
 * @param interval of silence after which one is written; zero switches them off
 * @param form its bytes; null takes the dialect's own
 * @param early also before the first frame, at the price of the status line
 */
public record Heartbeat(Duration interval, @Nullable HeartbeatForm form, boolean early)
        implements Settings<Heartbeat, Heartbeat.Builder> {
    /** After 15 s, in the dialect's form, not before the first frame. */
    public static final Heartbeat DEFAULT = Builders.build(Heartbeat.class, new Builder());

    /** Never. */
    public static final Heartbeat OFF = DEFAULT.with(h -> h.interval = Duration.ZERO);

    public Heartbeat {
        Checks.notNegative("interval", interval);
    }

    /** The components by name; the values of a new one are the defaults. */
    public static final class Builder {
        public Duration interval = Duration.ofSeconds(15);
        public @Nullable HeartbeatForm form;
        public boolean early;
    }
}
