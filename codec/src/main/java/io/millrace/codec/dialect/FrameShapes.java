package io.millrace.codec.dialect;

/**
 * The shapes of one dialect's output frames that a thread has seen last. All streams of the thread share them. Streams of one
 * model server have the same shapes: a new stream finds its shape here, and many streams need only a few shapes in the
 * processor's cache.
 */
final class FrameShapes {
    private static final int CAPACITY = 4;

    private final FrameShape[] shapes = new FrameShape[CAPACITY];
    private int size;
    private int oldest;

    int size() {
        return size;
    }

    FrameShape get(int index) {
        return shapes[index];
    }

    /** Adds a shape, in place of the oldest if there is no room. */
    void add(FrameShape shape) {
        if (size < CAPACITY) {
            shapes[size++] = shape;
        } else {
            shapes[oldest] = shape;
            oldest = (oldest + 1) % CAPACITY;
        }
    }
}
