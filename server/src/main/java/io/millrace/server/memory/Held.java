package io.millrace.server.memory;

import java.util.Locale;

/** What the relay holds for others, by what it is. */
public enum Held {
    /** Bytes of requests: bodies that are kept, and what clients have sent ahead. */
    REQUESTS(0, Pool.BUFFERS),
    /** Bytes written for clients that have not taken them. */
    CLIENTS(1, Pool.BUFFERS),
    /** Frames that are not complete or not committed. */
    FRAMES(2, Pool.BUFFERS),
    /** Compressed bytes of streams whose clients are full. */
    INFLATING(3, Pool.BUFFERS),
    /** Answers that are translated, or searched, as a whole. */
    ANSWERS(4, Pool.HEAP),
    /** Requests that are translated. */
    TRANSLATIONS(5, Pool.HEAP);

    /** Where something is held. */
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

    /** Where it is held. */
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
