package io.millrace.server.relay;

import io.millrace.server.memory.Held;
import io.millrace.server.memory.LoopMemory;

/** The memory that one stream holds, for the account of its event loop. */
final class StreamMemory {
    private final LoopMemory memory;
    private long ofFrames;
    private long ofAnswer;

    StreamMemory(LoopMemory memory) {
        this.memory = memory;
    }

    /**
     * Sets the held bytes.
     *
     * @param frames the bytes of frames
     * @param answer the bytes of the heap that the translated answer occupies
     */
    void count(long frames, long answer) {
        if (frames != ofFrames) {
            memory.add(Held.FRAMES, frames - ofFrames);
            ofFrames = frames;
        }
        if (answer != ofAnswer) {
            memory.add(Held.ANSWERS, answer - ofAnswer);
            ofAnswer = answer;
        }
    }

    /** The bytes held in {@code pool}. */
    long held(Held.Pool pool) {
        return pool == Held.Pool.HEAP ? ofAnswer : ofFrames;
    }
}
