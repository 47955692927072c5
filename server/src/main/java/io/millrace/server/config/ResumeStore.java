package io.millrace.server.config;

import io.millrace.server.config.Credential.Secret;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The store in which several nodes share the streams that they keep.
 *
 * @param redis where it is
 * @param secret the same on all nodes; with it they recognise each other's clients. Null only while it is read
 * @param window the longest time that new bytes of a stream wait until they are stored
 * @param lease how long a node counts as alive that says nothing
 */
public record ResumeStore(RedisSettings redis, @Nullable Secret secret, Duration window, Duration lease)
        implements Settings<ResumeStore, ResumeStore.Builder> {
    private static final int SHORTEST = 32;
    /** Each request needs it. */
    private static volatile @Nullable Salt lastSalt;

    private static final Duration LONGEST_WINDOW = Duration.ofSeconds(10);
    private static final Duration SHORTEST_LEASE = Duration.ofSeconds(3);

    @SuppressWarnings("ArrayRecordComponent") // not compared
    private record Salt(@Nullable Secret secret, byte[] bytes) {}

    /** On this machine, without a secret. */
    public static final ResumeStore DEFAULT = Builders.build(ResumeStore.class, new Builder());

    public ResumeStore {
        Checks.positive("window", window);
        Checks.positive("lease", lease);
        if (window.compareTo(LONGEST_WINDOW) > 0) {
            throw new IllegalArgumentException("window: " + window + " (expected: <= " + LONGEST_WINDOW + ")");
        }
        if (lease.compareTo(SHORTEST_LEASE) < 0) {
            throw new IllegalArgumentException("lease: " + lease + " (expected: >= " + SHORTEST_LEASE + ")");
        }
        if (secret != null && secret.reveal().length() < SHORTEST) {
            throw new IllegalArgumentException("secret: is too short (expected: at least " + SHORTEST + " characters)");
        }
    }

    /** What is hashed with the key of a client, so that all nodes with the secret have the same hash, and nobody else. */
    public byte[] salt() {
        Salt known = lastSalt;
        if (known == null || !Objects.equals(known.secret(), secret)) {
            known = new Salt(secret, hash(secret));
            lastSalt = known;
        }
        return known.bytes();
    }

    private static byte[] hash(@Nullable Secret secret) {
        String text = "millrace resume " + (secret == null ? "" : secret.reveal());
        try {
            return MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e); // every Java has it
        }
    }

    /** The components by name; the values of a new one are the defaults. */
    public static final class Builder {
        public RedisSettings redis = RedisSettings.DEFAULT;
        public @Nullable Secret secret;
        public Duration window = Duration.ofMillis(200);
        public Duration lease = Duration.ofSeconds(6);
    }
}
