package io.millrace.server.replay;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import org.jspecify.annotations.Nullable;

/**
 * The streams of the whole process by what their clients call them: the id of their answer, or their request's
 * {@code Idempotency-Key}. A name holds for one client only, and only a hash of it is kept. For any thread.
 */
public final class StreamNames {
    private final ConcurrentMap<String, Named> streams = new ConcurrentHashMap<>();

    /**
     * What a name stands for.
     *
     * @param stream the stream's id
     * @param content the hash of the request that the client gave the name to; null if the name is an answer's
     */
    public record Named(String stream, @Nullable String content) {}

    /** Names a stream by the id of its answer. An id that another stream of the client has already stays with that one. */
    public void answer(String name, String stream) {
        streams.putIfAbsent(name, new Named(stream, null));
    }

    /**
     * Names a stream by its request, if no other stream has that name.
     *
     * @return what has the name already; null if {@code stream} has it now
     */
    public @Nullable Named claim(OnceKey key, String stream) {
        return streams.putIfAbsent(key.scope(), new Named(stream, key.content()));
    }

    /** The stream with this name; null if there is none. */
    public @Nullable String find(String name) {
        Named named = streams.get(name);
        return named == null ? null : named.stream();
    }

    /** Frees a name, if it is still that of {@code stream}. */
    public void remove(String name, String stream) {
        streams.computeIfPresent(name, (its, named) -> named.stream().equals(stream) ? null : named);
    }

    /** How many names there are. */
    int size() {
        return streams.size();
    }

    /**
     * The name of an answer.
     *
     * @param owner what only the same client has again
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
