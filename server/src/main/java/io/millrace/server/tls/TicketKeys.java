package io.millrace.server.tls;

import io.netty.handler.ssl.OpenSslSessionTicketKey;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * The keys of session tickets (RFC 5077, RFC 8446 section 4.6.1). The newest key makes tickets; every key opens them.
 * A key makes tickets for an hour, and stays until its last ticket expires. Nothing is stored on a disk. Immutable.
 */
final class TicketKeys {
    /** How long a client may resume a session. */
    static final int LIFETIME_S = 7200;

    private static final long PERIOD_NS = TimeUnit.HOURS.toNanos(1);
    private static final int MOST = 1 + (int) (TimeUnit.SECONDS.toNanos(LIFETIME_S) / PERIOD_NS);
    private static final SecureRandom RANDOM = new SecureRandom();

    private final List<OpenSslSessionTicketKey> keys;
    private final long madeNs;

    private TicketKeys(List<OpenSslSessionTicketKey> keys, long madeNs) {
        this.keys = keys;
        this.madeNs = madeNs;
    }

    /** With one key. */
    static TicketKeys fresh(long nowNs) {
        return new TicketKeys(List.of(newKey()), nowNs);
    }

    /**
     * The keys for {@code nowNs}: the same, or with a new key in front and without those that are not needed any more.
     */
    TicketKeys at(long nowNs) {
        if (nowNs - madeNs < PERIOD_NS) {
            return this;
        }
        var next = new ArrayList<OpenSslSessionTicketKey>();
        next.add(newKey());
        next.addAll(keys.subList(0, Math.min(keys.size(), MOST - 1)));
        return new TicketKeys(List.copyOf(next), nowNs);
    }

    /** The newest first. */
    OpenSslSessionTicketKey[] keys() {
        return keys.toArray(OpenSslSessionTicketKey[]::new);
    }

    private static OpenSslSessionTicketKey newKey() {
        return new OpenSslSessionTicketKey(
                random(OpenSslSessionTicketKey.NAME_SIZE),
                random(OpenSslSessionTicketKey.HMAC_KEY_SIZE),
                random(OpenSslSessionTicketKey.AES_KEY_SIZE));
    }

    private static byte[] random(int length) {
        var bytes = new byte[length];
        RANDOM.nextBytes(bytes);
        return bytes;
    }
}
