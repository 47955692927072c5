package io.millrace.server.config;

import java.time.Duration;

/**
 * The limits of HTTP/2 connections of clients.
 *
 * @param streams the most requests in progress of one connection; a further request is refused, and may be sent again
 * @param window the bytes of one request's body that its client may send ahead
 * @param connectionWindow the bytes of all request bodies of a connection that its client may send ahead
 * @param pending the bytes that may wait for one connection's client; above this, none of its upstreams is read
 * @param controlFrames the budget of a client for frames that carry no request
 * @param prematureResets the requests of a connection that its client may cancel within ten seconds, each within a second of
 *     its beginning and before it has an answer; an answer makes up for one
 * @param wastedPerAddress requests that the clients of one address may waste at once, because they cancel them within a
 *     second and before an answer; one that the relay answers itself counts a quarter; a quarter of the limit comes back
 *     each second; 0 means no limit
 * @param connectionAge the time after which a client is asked to open another connection; zero means never
 */
public record Http2(
        int streams,
        int window,
        int connectionWindow,
        int pending,
        ControlFrames controlFrames,
        int prematureResets,
        int wastedPerAddress,
        Duration connectionAge)
        implements Settings<Http2, Http2.Builder> {
    /** 100 streams, 256 KiB, 1 MiB, 1 MiB, 1,000 frames and 100 a second, 100 resets, and no age. */
    public static final Http2 DEFAULT = Builders.build(Http2.class, new Builder());

    private static final int LEAST_WINDOW = 16 * 1024;

    public Http2 {
        Checks.range("streams", streams, 1, 1000);
        Checks.range("window", window, LEAST_WINDOW, 64 << 20);
        Checks.range("connectionWindow", connectionWindow, 65_535, 1 << 30);
        Checks.range("pending", pending, 64 * 1024, 1 << 30);
        Checks.range("prematureResets", prematureResets, 1, 1_000_000);
        Checks.range("wastedPerAddress", wastedPerAddress, 0, 1_000_000);
        Checks.notNegative("connectionAge", connectionAge);
    }

    /**
     * Points for frames that carry no request, such as PING, SETTINGS and WINDOW_UPDATE. Each costs one point or a
     * part of one.
     *
     * @param burst the points at the beginning, and the largest number of points
     * @param perSecond the points that are added each second
     */
    public record ControlFrames(int burst, int perSecond) implements Settings<ControlFrames, ControlFrames.Builder> {
        /** 1,000, and 100 a second. */
        public static final ControlFrames DEFAULT = Builders.build(ControlFrames.class, new Builder());

        public ControlFrames {
            Checks.range("burst", burst, 10, 1_000_000);
            Checks.range("perSecond", perSecond, 1, 1_000_000);
        }

        /** The components by name; the values of a new one are the defaults. */
        public static final class Builder {
            public int burst = 1000;
            public int perSecond = 100;
        }
    }

    /** The components by name; the values of a new one are the defaults. */
    public static final class Builder {
        public int streams = 100;
        public int window = 256 * 1024;
        public int connectionWindow = 1 << 20;
        public int pending = 1 << 20;
        public ControlFrames controlFrames = ControlFrames.DEFAULT;
        public int prematureResets = 100;
        public int wastedPerAddress = 200;
        public Duration connectionAge = Duration.ZERO;
    }
}
