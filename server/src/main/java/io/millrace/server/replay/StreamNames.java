package io.millrace.server.replay;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import org.jspecify.annotations.Nullable;

/**
 * Finds the streams of the process by the names that their clients know: the id of the answer, or the
 * {@code Idempotency-Key} of the request. A name is valid for one client only. Only its hash is kept. Thread-safe.
 */
public final class StreamNames {
    private final ConcurrentMap<String, Named> streams = new ConcurrentHashMap<>();

    /**
     * What a name refers to.
     *
     * @param stream the stream's id
     * @param content the hash of the request to which the client gave the name; null if the name is the id of an answer
     */
    public record Named(String stream, @Nullable String content) {}

    /** Names a stream by the id of its answer. If another stream of the client has this id already, nothing changes. */
    public void answer(String name, String stream) {
        streams.putIfAbsent(name, new Named(stream, null));
    }

    /**
     * Names a stream by its request, if no other stream has that name.
     *
     * @return the earlier owner of the name; null if {@code stream} has it now
     */
    public @Nullable Named claim(OnceKey key, String stream) {
        return streams.putIfAbsent(key.scope(), new Named(stream, key.content()));
    }

    /** The id of the stream with this name; null if there is none. */
    public @Nullable String find(String name) {
        Named named = streams.get(name);
        return named == null ? null : named.stream();
    }

    /** Removes a name if it still belongs to {@code stream}. */
    public void remove(String name, String stream) {
        streams.computeIfPresent(name, (its, named) -> named.stream().equals(stream) ? null : named);
    }

    /** The number of names. */
    public int size() {
        return streams.size();
    }

    /**
     * The name of an answer.
     *
     * @param owner bytes that identify the client: the same for all its requests, and different for each client
     * @param id the answer's id, such as {@code resp_…}
     */
    public static String ofAnswer(byte[] owner, String id) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            digest.update(owner);
            return HexFormat.of().formatHex(digest.digest(id.getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e); // every Java has it
        }
    }
}
