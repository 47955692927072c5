package io.millrace.bench.codec.sse;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Random;

/** Event streams of frames of one length: a {@code data} line and a blank one. */
public final class FrameText {
    /** The length of every stream: a multiple of 120, 1,024 and 16,384. */
    public static final int STREAM_BYTES = 245_760;

    private static final int LINE_ENDS = 2;

    private FrameText() {}

    /** {@link #STREAM_BYTES} of frames of {@code frameBytes}, their line ends included. */
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

    /** Where the reads of such a stream end: whole frames of 16 KiB at most, or anywhere, 1 to 4,096 bytes on. */
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
