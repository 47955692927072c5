package io.millrace.bench.codec.sse;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Random;

/** Event streams with frames of one length: a {@code data} line and a blank line. */
public final class FrameText {
    /** The length of every stream: a multiple of 120, 1,024 and 16,384. */
    public static final int STREAM_BYTES = 245_760;

    private static final int LINE_ENDS = 2;

    private FrameText() {}

    /** A stream of {@link #STREAM_BYTES} with frames of {@code frameBytes}, including line ends. */
    public static byte[] stream(int frameBytes, String lineEnd) {
        StringBuilder stream = new StringBuilder(STREAM_BYTES);
        for (int frame = 0; stream.length() < STREAM_BYTES; frame++) {
            String before = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"";
            String after = "\"}}],\"n\":" + (100_000 + frame) + "}";
            int text = frameBytes - before.length() - after.length() - LINE_ENDS * lineEnd.length();
            stream.append(before)
                    .append("token ".repeat(text / 6 + 1), 0, text)
                    .append(after)
                    .append(lineEnd)
                    .append(lineEnd);
        }
        return stream.toString().getBytes(StandardCharsets.US_ASCII);
    }

    /** The ends of reads of such a stream: whole frames of at most 16 KiB, or any length of 1 to 4,096 bytes. */
    public static int[] reads(int frameBytes, boolean split) {
        int whole = Math.max(1, 16_384 / frameBytes) * frameBytes;
        Random random = new Random(20_261_122);
        int[] ends = new int[STREAM_BYTES];
        int count = 0;
        for (int at = 0; at < STREAM_BYTES; count++) {
            at = Math.min(STREAM_BYTES, at + (split ? 1 + random.nextInt(4_096) : whole));
            ends[count] = at;
        }
        return Arrays.copyOf(ends, count);
    }
}
