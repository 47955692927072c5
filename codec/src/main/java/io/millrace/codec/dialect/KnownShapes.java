package io.millrace.codec.dialect;

import org.jspecify.annotations.Nullable;

/** Finds the shape of a stream's output frame among the shapes of the stream and of the other streams of the thread. */
final class KnownShapes {
    /** The most shapes that one stream adds. A stream with more shapes has no repetition. */
    private static final int MAX_SHAPES = 8;

    private final Dialect dialect;
    private @Nullable FrameShape last;
    private int left = MAX_SHAPES;

    KnownShapes(Dialect dialect) {
        this.dialect = dialect;
    }

    /** The shape that was found or added last, {@code null} if there is none. */
    @Nullable
    FrameShape last() {
        return last;
    }

    /** The known shape of the frame, {@code null} if there is none. */
    @Nullable
    FrameShape find(JsonCursor in) {
        if (last != null && matches(last, in)) {
            return last;
        }
        FrameShapes others = in.shapes(dialect);
        for (int i = 0; i < others.size(); i++) {
            FrameShape other = others.get(i);
            if (other != last && matches(other, in)) {
                last = other;
                return other;
            }
        }
        return null;
    }

    /** Adds the shape of the current frame, unless the frame is long or the stream has added its share. */
    void add(long mark, JsonCursor in) {
        if (left > 0 && in.end() - in.start() <= FrameShape.MAX_FRAME_BYTES) {
            left--;
            last = new FrameShape(mark, in);
            in.shapes(dialect).add(last);
        }
    }

    private static boolean matches(FrameShape shape, JsonCursor in) {
        return shape.match(in.bytes(), in.start(), in.end(), in.spans().matched());
    }
}
