package io.millrace.bench.doctor;

import io.millrace.codec.dialect.Dialect;
import io.millrace.codec.dialect.FrameKind;
import io.millrace.codec.dialect.StreamInspector;
import io.millrace.codec.sse.SseFrameDecoder;
import io.millrace.codec.sse.SseFrameListener;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The frames of an answer: which are output, when each came and, with the mock's stamps, when each was made. */
final class StreamView implements SseFrameListener {
    /**
     * A frame of output.
     *
     * @param atNs when its last byte came
     * @param madeNs when the mock made it, by the mock's clock; -1 if there is no stamp
     * @param index its number among the mock's tokens, -1 if there is no stamp
     * @param bytes from the end of the output before it to its own end
     */
    record Output(long atNs, long madeNs, int index, int bytes) {}

    private static final Pattern STAMP = Pattern.compile("@(\\d{1,9})@(\\d{19})@");

    private final StreamInspector inspector;
    private final List<Output> outputs = new ArrayList<>();
    private long nowNs;
    private int bytesSince;

    private StreamView(Dialect dialect) {
        inspector = dialect.newInspector();
    }

    static StreamView of(Answer answer, Dialect dialect) {
        StreamView view = new StreamView(dialect);
        try (var decoder = new SseFrameDecoder(ByteBufAllocator.DEFAULT)) {
            for (Answer.Piece piece : answer.pieces()) {
                view.nowNs = piece.atNs();
                decoder.decode(Unpooled.wrappedBuffer(piece.bytes()), view);
            }
        }
        return view;
    }

    List<Output> outputs() {
        return outputs;
    }

    /** Whether the outputs have the mock's stamps. */
    boolean stamped() {
        return !outputs.isEmpty() && outputs.stream().allMatch(output -> output.madeNs >= 0);
    }

    StreamInspector inspector() {
        return inspector;
    }

    @Override
    public void onFrame(ByteBuf buf, int start, int end) {
        bytesSince += end - start;
        if (inspector.inspect(buf, start, end) == FrameKind.OUTPUT) {
            Matcher stamp = STAMP.matcher(buf.toString(start, end - start, StandardCharsets.UTF_8));
            boolean stamped = stamp.find();
            long made = stamped ? Long.parseLong(stamp.group(2)) : -1;
            int index = stamped ? Integer.parseInt(stamp.group(1)) : -1;
            // Some dialects repeat the whole text at the end.
            if (!stamped || !stamp.find()) {
                outputs.add(new Output(nowNs, made, index, bytesSince));
                bytesSince = 0;
            }
        }
    }

    @Override
    public void onPiece(ByteBuf buf, int start, int end, boolean first, boolean last) {
        bytesSince += end - start;
        inspector.inspectPiece(buf, start, end, first, last);
    }

    @Override
    public void onLateLineFeed(ByteBuf buf, int index) {
        bytesSince++;
    }
}
