package io.millrace.server.upstream;

import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http2.Http2Exception;
import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Receives the response of one attempt at an upstream. All calls come on the event loop of its connection. */
public interface CallListener {
    /**
     * The final response head. The listener either calls {@link UpstreamCall#beginStream} before it returns, or
     * gets the body through {@link #onBody} and {@link #onBodyEnd}.
     */
    void onHead(HttpResponse head);

    /** A part of a body that is not an event stream; ownership is transferred. */
    void onBody(ByteBuf content);

    /**
     * The body ended by its framing. This includes the body of an event stream. Called within the read that brought the
     * end, or when the connection closes if that is the end of the body.
     */
    void onBodyEnd();

    /** One read of the socket has been delivered. Now is the time to flush. */
    default void onReadComplete() {}

    /**
     * The connection ended before the body did, or broke the protocol. Called at most once, and not after
     * {@link #onBodyEnd}.
     */
    void onBroken(Breakage breakage);

    /** The upstream's send queue, which holds request bodies, crossed a watermark. */
    default void onUpstreamWritable(boolean writable) {}

    /**
     * A connection to an upstream that ended too early.
     *
     * @param kind what the relay may do about it
     * @param detail for logs and error messages; never holds a credential
     */
    record Breakage(Kind kind, String detail) {
        /** The kinds of early end. */
        public enum Kind {
            /** Closed before the request reached the upstream, as far as is known. The request may be sent again. */
            STALE,
            /** Closed before any byte of the response arrived. */
            CLOSED_UNUSED,
            /** Closed in an orderly way before the response was complete. */
            TRUNCATED,
            /** Reset, or another failure of the connection. */
            RESET,
            /** There was no memory for what the upstream sent. */
            NO_MEMORY,
            /** The upstream sent something that is not HTTP, or not the HTTP that was asked for. */
            PROTOCOL
        }

        /** The framing of a body is complete, but the compressed data in it is not. */
        public static Breakage ofCutCoding() {
            return new Breakage(Kind.TRUNCATED, "the compressed body ends too early");
        }

        /**
         * The kind of end of a connection that closed too early.
         *
         * @param cause the failure; null if the upstream closed the connection
         * @param responseBegun whether a byte of the response came
         * @param stale whether the request did not reach the upstream, if the response had not begun
         */
        static Breakage of(@Nullable Throwable cause, boolean responseBegun, boolean stale) {
            if (cause instanceof OutOfMemoryError) {
                return ofNoMemory(cause);
            }
            if (cause != null && !(cause instanceof IOException)) {
                return ofProtocol(cause);
            }
            if (!responseBegun) {
                String detail = cause == null ? "closed before a response" : words(cause);
                return new Breakage(stale ? Kind.STALE : Kind.CLOSED_UNUSED, detail);
            }
            return cause == null
                    ? new Breakage(Kind.TRUNCATED, "closed inside the response")
                    : new Breakage(Kind.RESET, words(cause));
        }

        /** A failure of the socket in words of ours. The system's may hold addresses, and are for the log. */
        private static String words(Throwable cause) {
            String message = String.valueOf(cause.getMessage()).toLowerCase(Locale.ROOT);
            if (message.contains("reset")) {
                return "the upstream reset the connection";
            }
            if (message.contains("broken pipe") || cause instanceof ClosedChannelException) {
                return "the upstream closed the connection";
            }
            return message.contains("timed out") ? "the connection timed out" : "the connection failed";
        }

        static Breakage ofProtocol(Throwable cause) {
            return new Breakage(Kind.PROTOCOL, message(cause));
        }

        static Breakage ofNoMemory(Throwable cause) {
            return new Breakage(Kind.NO_MEMORY, message(cause));
        }

        /** For a fault of HTTP/2 its code: the words are mostly Netty's, with numbers of streams that no client knows. */
        static String message(Throwable cause) {
            if (cause instanceof Http2Exception fault) {
                return "no valid HTTP/2 (" + fault.error() + ")";
            }
            return cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage();
        }
    }
}
