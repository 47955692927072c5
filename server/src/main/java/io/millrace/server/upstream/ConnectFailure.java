package io.millrace.server.upstream;

import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/**
 * Why there is no connection.
 *
 * @param kind whose fault it is
 * @param detail for error messages, without addresses
 * @param cause for the log; null if there are no more details
 */
public record ConnectFailure(
        Kind kind, String detail, @Nullable Throwable cause) {
    /** The kinds of failure. */
    public enum Kind {
        /** The upstream cannot be reached, or TLS with it failed. */
        UNREACHABLE,
        /** The upstream did not answer in time. */
        TIMEOUT,
        /** All connections that are allowed are in use. */
        FULL,
        /** This process could not open a socket. */
        OWN
    }

    static ConnectFailure of(String detail, @Nullable Throwable cause) {
        return new ConnectFailure(Kind.UNREACHABLE, detail, cause);
    }

    static ConnectFailure ofTimeout(String detail, @Nullable Throwable cause) {
        return new ConnectFailure(Kind.TIMEOUT, detail, cause);
    }

    static ConnectFailure ofFull(Origin origin) {
        return new ConnectFailure(
                Kind.FULL, "all " + origin.maxConnections() + " connections to " + origin.name() + " are busy", null);
    }

    static ConnectFailure ofOwn(Origin origin, Throwable cause) {
        return new ConnectFailure(Kind.OWN, "the relay could open no connection to " + origin.name(), cause);
    }

    /**
     * A text for the log: where {@code cause} happened. For TLS, its root cause, such as why a certificate is refused.
     */
    static String reason(Throwable cause) {
        String message = cause.getMessage();
        return cause instanceof SSLException || message == null ? root(cause) : message;
    }

    private static String root(Throwable failure) {
        Throwable root = failure;
        while (root.getCause() != null) {
            root = root.getCause();
        }
        return root.getMessage() == null ? root.getClass().getSimpleName() : root.getMessage();
    }
}
