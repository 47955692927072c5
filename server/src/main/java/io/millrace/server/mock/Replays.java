package io.millrace.server.mock;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** Recorded streams, split into frames at their blank lines. Each is kept in memory after its first use. */
final class Replays {
    private static final String CLASS_PATH = "/fixtures/streams/";

    private final @Nullable Path directory;
    private final Map<String, List<byte[]>> frames = new ConcurrentHashMap<>();

    /** @param directory the directory of recordings, or null for the recordings on the class path */
    Replays(@Nullable Path directory) {
        if (directory != null && !Files.isDirectory(directory)) {
            throw new IllegalArgumentException("replay directory: " + directory + " (expected: a directory)");
        }
        this.directory = directory;
    }

    /** @throws IllegalArgumentException if there is no such recording */
    void verify(String name) {
        frames.computeIfAbsent(name, this::load);
    }

    /** A script that sends the recording. Every frame of it counts as output. */
    Script script(String name) {
        var recorded = frames.computeIfAbsent(name, this::load);
        return new Script()
                .add(Script.Kind.OUTPUT, recorded.size(), (index, out) -> out.writeBytes(recorded.get(index)));
    }

    private List<byte[]> load(String name) {
        if (!name.matches("[A-Za-z0-9][A-Za-z0-9._-]*")) {
            throw unknown(name);
        }
        String file = name.endsWith(".sse") ? name : name + ".sse";
        try {
            return cut(directory == null ? fromClassPath(file) : Files.readAllBytes(directory.resolve(file)));
        } catch (IOException e) {
            throw (IllegalArgumentException) unknown(name).initCause(e);
        }
    }

    private static byte[] fromClassPath(String file) throws IOException {
        try (var in = Replays.class.getResourceAsStream(CLASS_PATH + file)) {
            if (in == null) {
                throw new IOException(CLASS_PATH + file + " is not on the class path");
            }
            return in.readAllBytes();
        }
    }

    private static IllegalArgumentException unknown(String name) {
        return new IllegalArgumentException("replay: " + name + " (expected: the name of a recorded .sse file)");
    }

    /** Splits after each blank line, with any line ends. The rest at the end is also a frame. */
    static List<byte[]> cut(byte[] bytes) {
        var frames = new ArrayList<byte[]>();
        int start = 0;
        int lineStart = 0;
        for (int i = 0; i < bytes.length; i++) {
            boolean crlf = bytes[i] == '\r' && i + 1 < bytes.length && bytes[i + 1] == '\n';
            if (crlf || (bytes[i] != '\n' && bytes[i] != '\r')) {
                continue;
            }
            boolean blank = i == lineStart || (i == lineStart + 1 && bytes[lineStart] == '\r');
            lineStart = i + 1;
            if (blank) {
                frames.add(Arrays.copyOfRange(bytes, start, lineStart));
                start = lineStart;
            }
        }
        if (start < bytes.length) {
            frames.add(Arrays.copyOfRange(bytes, start, bytes.length));
        }
        return frames;
    }
}
