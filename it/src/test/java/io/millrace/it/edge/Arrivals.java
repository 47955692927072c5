package io.millrace.it.edge;

import io.millrace.server.test.RawClient;
import java.io.EOFException;
import java.io.IOException;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A chunked event stream as a client received it.
 *
 * @param head of the response
 * @param frames of the body, in order
 * @param intact whether the body ended with its last chunk; else the connection broke
 */
record Arrivals(String head, List<Frame> frames, boolean intact) {
    /** Frames that came closer together than this came at once. */
    private static final double AT_ONCE_MS = 10;

    /**
     * A frame, and the time when its last byte was read.
     *
     * @param text with its blank line
     * @param atNs on the clock of {@link System#nanoTime}
     */
    record Frame(String text, long atNs) {
        /** Whether it is a Chat Completions frame with text in it. */
        boolean isToken() {
            return text.contains("\"content\":\"") && !text.contains("\"content\":\"\"");
        }
    }

    /** Reads a response to its end. */
    static Arrivals read(RawClient client) throws IOException {
        String head = client.readHead();
        var frames = new ArrayList<Frame>();
        return new Arrivals(head, frames, readChunks(client, new Cutter(frames)));
    }

    /** Milliseconds between neighbouring frames with text. */
    double[] tokenGapsMs() {
        long[] at =
                frames.stream().filter(Frame::isToken).mapToLong(Frame::atNs).toArray();
        var gaps = new double[Math.max(0, at.length - 1)];
        for (int i = 0; i < gaps.length; i++) {
            gaps[i] = (at[i + 1] - at[i]) / 1e6;
        }
        return gaps;
    }

    /** The number of groups in which the frames with text came. If each came separately, it is the number of frames. */
    long clumps() {
        return 1 + Arrays.stream(tokenGapsMs()).filter(gap -> gap > AT_ONCE_MS).count();
    }

    /** The text of the frames, one after the other. */
    String text() {
        var text = new StringBuilder();
        frames.forEach(frame -> text.append(frame.text()));
        return text.toString();
    }

    private static boolean readChunks(RawClient client, Cutter cutter) throws IOException {
        try {
            for (int size = Integer.parseInt(client.readLine(), 16);
                    size > 0;
                    size = Integer.parseInt(client.readLine(), 16)) {
                for (int i = 0; i < size; i++) {
                    int b = client.read();
                    if (b < 0) {
                        return false;
                    }
                    cutter.accept((byte) b);
                }
                client.readLine();
            }
            return client.readLine().isEmpty();
        } catch (EOFException | SocketException e) {
            return false;
        }
    }

    /** Cuts LF-delimited frames out of the bytes of a body. */
    private static final class Cutter {
        private final List<Frame> frames;
        private byte[] bytes = new byte[1024];
        private int count;

        Cutter(List<Frame> frames) {
            this.frames = frames;
        }

        void accept(byte b) {
            if (count == bytes.length) {
                bytes = Arrays.copyOf(bytes, 2 * count);
            }
            bytes[count++] = b;
            if (b == '\n' && count > 1 && bytes[count - 2] == '\n') {
                frames.add(new Frame(new String(bytes, 0, count, StandardCharsets.UTF_8), System.nanoTime()));
                count = 0;
            }
        }
    }
}
