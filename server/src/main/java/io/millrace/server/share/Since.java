package io.millrace.server.share;

/** How long a condition has been true. */
final class Since {
    private boolean is;
    private long beganNs;

    void is(boolean now, long nowNs) {
        if (now && !is) {
            beganNs = nowNs;
        }
        is = now;
    }

    boolean is() {
        return is;
    }

    boolean isFor(long ns, long nowNs) {
        return is && nowNs - beganNs >= ns;
    }
}
