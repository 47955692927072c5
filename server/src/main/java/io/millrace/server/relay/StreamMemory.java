package io.millrace.server.relay;

import io.millrace.server.memory.Held;
import io.millrace.server.memory.LoopMemory;

/** What one stream holds, as its event loop counts it. */
final class StreamMemory {
    private final LoopMemory memory;
    private long ofFrames;
    private long ofAnswer;

    StreamMemory(LoopMemory memory) {
        this.memory = memory;
    }

    /**
     * Counts what is held from now on, in bytes.
     *
     * @param frames of frames
     * @param answer of the heap, of the answer that is made of them
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

    /** Bytes that are held in {@code pool}. */
    long held(Held.Pool pool) {
        return pool == Held.Pool.HEAP ? ofAnswer : ofFrames;
    }
}
