package io.millrace.codec.dialect;

/**
 * The last shapes of one dialect's output frames on a thread. All streams of the thread share them. Streams of one
 * model server have the same shapes, so a new stream finds its shape here. Many streams need only a few shapes in the
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

    /** Adds a shape. It replaces the oldest one if there is no room. */
    void add(FrameShape shape) {
        if (size < CAPACITY) {
            shapes[size++] = shape;
        } else {
            shapes[oldest] = shape;
            oldest = (oldest + 1) % CAPACITY;
        }
    }
}
