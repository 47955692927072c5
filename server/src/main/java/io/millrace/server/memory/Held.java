package io.millrace.server.memory;

import java.util.Locale;

/** The kinds of memory that the relay holds for others. */
public enum Held {
    /** Bytes of requests: kept bodies, and bytes that clients have sent ahead. */
    REQUESTS(0, Pool.BUFFERS),
    /** Bytes that were written for clients and that the kernel has not taken. */
    CLIENTS(1, Pool.BUFFERS),
    /** Frames that are not complete or not committed. */
    FRAMES(2, Pool.BUFFERS),
    /** Compressed bytes of streams whose clients read too slowly. */
    INFLATING(3, Pool.BUFFERS),
    /** Answers that are translated or searched as a whole. */
    ANSWERS(4, Pool.HEAP),
    /** Requests that are translated. */
    TRANSLATIONS(5, Pool.HEAP);

    /** The place of the memory. */
    public enum Pool {
        /** Outside of the heap. */
        BUFFERS(0),
        /** In the heap. */
        HEAP(1);

        private final int index;
        private final String label = name().toLowerCase(Locale.ROOT);

        Pool(int index) {
            this.index = index;
        }

        /** The name in metrics, such as {@code heap}. */
        public String label() {
            return label;
        }

        int index() {
            return index;
        }
    }

    private final int index;
    private final Pool pool;
    private final String label = name().toLowerCase(Locale.ROOT);

    Held(int index, Pool pool) {
        this.index = index;
        this.pool = pool;
    }

    /** The place of the memory. */
    public Pool pool() {
        return pool;
    }

    /** The name in metrics, such as {@code requests}. */
    public String label() {
        return label;
    }

    int index() {
        return index;
    }
}
