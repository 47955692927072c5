package io.millrace.server.share;

import io.netty.buffer.ByteBuf;
import org.jspecify.annotations.Nullable;

/** A connection to a store that speaks Redis' protocol. Confined to one event loop. */
public interface StoreLink {
    /** Receives an answer of the store. */
    interface Answer {
        /**
         * The store has answered.
         *
         * @param reply null for nil, a {@code Long}, a {@code byte[]}, or a {@code List} of these
         * @param refusal the text of an error; null if there is none
         */
        void on(@Nullable Object reply, @Nullable String refusal);
    }

    /** Bytes of a command that are written when it is sent. */
    interface Content {
        /** The number of the bytes. */
        int length();

        /** Appends the bytes to {@code to}, which remains with the caller. */
        void writeTo(ByteBuf to);
    }

    /** Whether commands can be sent. */
    boolean isConnected();

    /**
     * Sends a command. Without a connection, nothing happens. The store carries out commands in their order.
     *
     * @param answer not called if the connection is lost first
     * @param words the command's name and arguments: texts, numbers, {@code byte[]} and {@link Content}, which is
     *     written before this method returns
     */
    void call(Answer answer, Object... words);

    /** Runs {@code task} on the event loop after so many nanoseconds, whatever becomes of the connection. */
    void later(Runnable task, long delayNs);

    /** Closes the connection and opens another. */
    void reset(String reason);
}
