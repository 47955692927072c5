package io.millrace.bench.codec;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** A recorded stream, whole and split into frames. */
public final class RecordedStream {
    private final byte[] bytes;
    private final int[] frameEnds;

    private RecordedStream(byte[] bytes) {
        this.bytes = bytes;
        frameEnds = frameEnds(bytes);
    }

    /** Reads the recorded stream with this file name. */
    public static RecordedStream of(String name) {
        try (InputStream in = RecordedStream.class.getResourceAsStream("/fixtures/streams/" + name)) {
            return new RecordedStream(in.readAllBytes());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Keeps only the frames that contain {@code text}. */
    public RecordedStream withFramesThatHold(String text) {
        ByteArrayOutputStream kept = new ByteArrayOutputStream();
        int from = 0;
        for (int end : frameEnds) {
            if (new String(bytes, from, end - from, StandardCharsets.UTF_8).contains(text)) {
                kept.write(bytes, from, end - from);
            }
            from = end;
        }
        return new RecordedStream(kept.toByteArray());
    }

    /** All bytes. */
    public byte[] bytes() {
        return Arrays.copyOf(bytes, bytes.length);
    }

    /** The end of each frame. */
    public int[] frameEnds() {
        return Arrays.copyOf(frameEnds, frameEnds.length);
    }

    /** A frame ends after a blank line. Line ends are LF or CRLF. */
    private static int[] frameEnds(byte[] bytes) {
        List<Integer> ends = new ArrayList<>();
        boolean lineBlank = true;
        for (int i = 0; i < bytes.length; i++) {
            if (bytes[i] == '\n') {
                if (lineBlank) {
                    ends.add(i + 1);
                }
                lineBlank = true;
            } else if (bytes[i] != '\r') {
                lineBlank = false;
            }
        }
        return ends.stream().mapToInt(Integer::intValue).toArray();
    }
}
