package io.millrace.server.access;

import io.millrace.server.config.ClientSettings;
import io.millrace.server.limit.ClientUse;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.security.MessageDigest;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * All clients, by the hashes of their keys. A key that is unknown, has expired, or whose client is disabled takes the
 * same steps and gets the same answer. Immutable.
 */
final class Clients {
    private static final int ID_BYTES = 4;
    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);

    /** No clients. */
    static final Clients NONE = new Clients(List.of(), settings -> ClientUse.ofNobody());

    /**
     * The first bytes of the hash in each slot. They give the first slot of the search; the search continues in the
     * next slots.
     */
    private final @Nullable Key[] slots;

    private final Map<String, Client> byCertificate = new HashMap<>();
    /** The keys and certificates of all clients that are not disabled. */
    private final Set<Held> held = new HashSet<>();

    /** A client's name, and what tells its keys apart: null for its certificate. */
    private record Held(String client, @Nullable String keyId) {}

    /** A key of a client. */
    static final class Key {
        /** Is never found. It is compared with if a slot is empty, so that the time is the same. */
        private static final Key NOBODYS = new Key(
                new byte[KeyFormat.DIGEST_BYTES],
                new Client(ClientSettings.of("nobody"), ClientUse.ofNobody()),
                Long.MIN_VALUE);

        private final byte[] digest;
        private final long expiresMs;
        private final Client client;
        private final String id;

        Key(byte[] digest, Client client, long expiresMs) {
            this.digest = digest;
            this.client = client;
            this.expiresMs = expiresMs;
            id = HexFormat.of().formatHex(KeyFormat.sha256(digest), 0, ID_BYTES);
        }

        /** Distinguishes the keys of a client in a log, and has no other meaning. */
        String id() {
            return id;
        }

        Client client() {
            return client;
        }
    }

    /**
     * The clients of a configuration.
     *
     * @param uses gives what a client has used
     */
    Clients(List<ClientSettings> clients, Function<ClientSettings, ClientUse> uses) {
        int keys = clients.stream().mapToInt(client -> client.keys().size()).sum();
        slots = new Key[Integer.highestOneBit(Math.max(4, keys * 2)) * 2];
        for (ClientSettings settings : clients) {
            var client = new Client(settings, uses.apply(settings));
            for (ClientSettings.Key key : settings.keys()) {
                long expiresMs =
                        key.expires() == null ? Long.MAX_VALUE : key.expires().toEpochMilli();
                var made = new Key(
                        HexFormat.of().parseHex(key.sha256()),
                        client,
                        settings.disabled() ? Long.MIN_VALUE : expiresMs);
                add(made);
                if (!settings.disabled()) {
                    held.add(new Held(settings.name(), made.id));
                }
            }
            if (settings.certificate() != null && !settings.disabled()) {
                byCertificate.put(settings.certificate(), client);
                held.add(new Held(settings.name(), null));
            }
        }
    }

    private void add(Key key) {
        int slot = slot(key.digest);
        while (slots[slot] != null) {
            slot = (slot + 1) & (slots.length - 1);
        }
        slots[slot] = key;
    }

    /**
     * The key of this hash; null if nobody may use it.
     *
     * @param nowMs the time of day, in milliseconds since 1970
     */
    @Nullable
    Key find(byte[] digest, long nowMs) {
        Key found = Key.NOBODYS;
        for (int slot = slot(digest); ; slot = (slot + 1) & (slots.length - 1)) {
            Key key = slots[slot];
            if (key == null) {
                break;
            }
            if (head(key.digest) == head(digest)) {
                found = key;
                break;
            }
        }
        boolean same = MessageDigest.isEqual(found.digest, digest);
        boolean valid = nowMs < found.expiresMs;
        return same && valid ? found : null;
    }

    /** The client that a TLS certificate of this name stands for; null if there is none. */
    @Nullable
    Client ofCertificate(String name) {
        return byCertificate.get(name);
    }

    /** Whether the client of this name has this key, also if it has expired; {@code keyId} is null for its certificate. */
    boolean hold(String client, @Nullable String keyId) {
        return held.contains(new Held(client, keyId));
    }

    private int slot(byte[] digest) {
        return (int) head(digest) & (slots.length - 1);
    }

    /** Nobody can choose hashes, so their first bytes are as good as a hash of all of them. */
    private static long head(byte[] digest) {
        return (long) LONG.get(digest, 0);
    }
}
