package io.millrace.server.config;

import io.millrace.codec.dialect.HeartbeatForm;
import java.time.Duration;

/**
 * What is written between frames when nothing else was, so that no intermediary takes the stream for dead.
 *
 * @param interval of silence after which one is written; zero switches them off
 * @param form its bytes; null takes the dialect's own
 * @param early also before the first frame, at the price of the status line
 */
public record Heartbeat(Duration interval, HeartbeatForm form, boolean early) {
    /** After 15 s, in the dialect's form, not before the first frame. */
    public static final Heartbeat DEFAULT = new Heartbeat(Duration.ofSeconds(15), null, false);

    /** Never. */
    public static final Heartbeat OFF = new Heartbeat(Duration.ZERO, null, false);

    public Heartbeat {
        Checks.notNegative("interval", interval);
    }

    /** This with another {@code interval}. */
    public Heartbeat withInterval(Duration interval) {
        return new Heartbeat(interval, form, early);
    }

    /** This with another {@code form}. */
    public Heartbeat withForm(HeartbeatForm form) {
        return new Heartbeat(interval, form, early);
    }

    /** This with another {@code early}. */
    public Heartbeat withEarly(boolean early) {
        return new Heartbeat(interval, form, early);
    }
}
