package io.millrace.server.share;

import org.jspecify.annotations.Nullable;

/** A connection to a store that speaks Redis' protocol. Confined to one event loop. */
public interface StoreLink {
    /** Learns what the store answers. */
    interface Answer {
        /**
         * The store has answered.
         *
         * @param reply null for nil, a {@code Long}, a {@code byte[]}, or a {@code List} of these
         * @param refusal the words of an error; else null
         */
        void on(@Nullable Object reply, @Nullable String refusal);
    }

    /** Whether commands can be sent. */
    boolean isConnected();

    /**
     * Sends a command, if there is a connection. Commands are carried out in their order.
     *
     * @param answer not called if the connection is lost before
     * @param words the command's name and arguments: texts, numbers and {@code byte[]}
     */
    void call(Answer answer, Object... words);

    /** Gives the connection up, and opens another. */
    void reset(String reason);
}
