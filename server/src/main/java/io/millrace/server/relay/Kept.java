package io.millrace.server.relay;

import io.millrace.server.config.RelayConfig.Resume;
import io.millrace.server.replay.StreamLog;
import io.millrace.server.share.LoopShare;
import org.jspecify.annotations.Nullable;

/**
 * A stream that can be read.
 *
 * @param settings that held when it began
 * @param isRemote whether another node writes it, so that it may have more than this node knows
 */
record Kept(LogHead head, StreamLog log, Resume settings, boolean isRemote) {
    /** Who asks for a stream. One of the methods is called, once. */
    interface Asker {
        /** The stream; null is none, or none that can be read. */
        void onKept(@Nullable Kept kept);

        /** The stream is one of another node, and the store in which nodes share them does not answer. */
        default void onUnavailable() {
            onKept(null);
        }
    }

    /** Asks for a stream of another node. */
    record FromElsewhere(Resume settings, Asker told) implements LoopShare.Found {
        @Override
        public void found(String head, StreamLog log) {
            LogHead its = LogHead.read(head);
            told.onKept(its == null ? null : new Kept(its, log, settings, true));
        }

        @Override
        public void none() {
            told.onKept(null);
        }

        @Override
        public void unavailable() {
            told.onUnavailable();
        }
    }
}
