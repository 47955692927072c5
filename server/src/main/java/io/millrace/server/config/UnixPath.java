package io.millrace.server.config;

import java.nio.charset.StandardCharsets;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;

/**
 * A unix socket to listen on.
 *
 * @param path absolute, of at most {@value #MOST_BYTES} bytes, for the kernel takes little more
 */
public record UnixPath(Path path) implements ListenAddress {
    /** The prefix of the path in the address. */
    static final String SCHEME = "unix:";

    private static final int MOST_BYTES = 100;

    public UnixPath {
        int bytes = path.toString().getBytes(StandardCharsets.UTF_8).length;
        if (!path.isAbsolute() || path.getFileName() == null) {
            throw new IllegalArgumentException("'" + SCHEME + path + "' (expected: such as unix:/run/millrace.sock)");
        }
        if (bytes > MOST_BYTES) {
            throw new IllegalArgumentException(
                    "'" + SCHEME + path + "' has " + bytes + " bytes (expected: a path of at most " + MOST_BYTES + ")");
        }
    }

    /**
     * Reads {@code unix:/run/millrace.sock}.
     *
     * @throws IllegalArgumentException if it is no such address
     */
    static UnixPath parse(String text) {
        try {
            return new UnixPath(Path.of(text.substring(SCHEME.length())));
        } catch (InvalidPathException e) {
            throw new IllegalArgumentException("'" + text + "' (expected: such as unix:/run/millrace.sock)", e);
        }
    }

    /** Whoever may open the socket's file may connect. */
    @Override
    public boolean isLocal() {
        return true;
    }

    @Override
    public String toString() {
        return SCHEME + path;
    }
}
