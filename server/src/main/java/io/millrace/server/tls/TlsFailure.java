package io.millrace.server.tls;

import io.netty.handler.ssl.NotSslRecordException;
import io.netty.handler.ssl.SslHandshakeTimeoutException;
import java.nio.channels.ClosedChannelException;
import java.security.cert.CertificateExpiredException;
import java.security.cert.CertificateNotYetValidException;
import java.util.Locale;

/** Why a TLS handshake with a server failed, in words for people who know neither Java nor BoringSSL. */
public enum TlsFailure {
    NOT_TLS("the answer to the TLS handshake is not TLS"),
    EXPIRED("the server's certificate has expired"),
    NOT_YET_VALID("the server's certificate is not valid yet"),
    OTHER_HOST("the server's certificate is for other hosts"),
    UNTRUSTED("the certificate is not signed by an authority that is trusted here"),
    SILENT("the TLS handshake is not answered"),
    CLOSED("the server closed the connection in the TLS handshake"),
    OTHER("");

    private final String text;

    TlsFailure(String text) {
        this.text = text;
    }

    /** The kind of a failure, which a cause of it may tell. */
    public static TlsFailure of(Throwable failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            TlsFailure kind = ofOne(cause);
            if (kind != OTHER) {
                return kind;
            }
        }
        return OTHER;
    }

    /** The failure in words; the library's own if it is of no known kind. */
    public static String words(Throwable failure) {
        TlsFailure kind = of(failure);
        if (kind != OTHER) {
            return kind.text;
        }
        Throwable root = failure;
        while (root.getCause() != null) {
            root = root.getCause();
        }
        String message = root.getMessage();
        return "the TLS handshake failed: " + (message == null ? root.getClass().getSimpleName() : message);
    }

    private static TlsFailure ofOne(Throwable cause) {
        if (cause instanceof NotSslRecordException) {
            return NOT_TLS;
        }
        if (cause instanceof CertificateExpiredException) {
            return EXPIRED;
        }
        if (cause instanceof CertificateNotYetValidException) {
            return NOT_YET_VALID;
        }
        if (cause instanceof SslHandshakeTimeoutException) {
            return SILENT;
        }
        return cause instanceof ClosedChannelException ? CLOSED : ofMessage(String.valueOf(cause.getMessage()));
    }

    private static TlsFailure ofMessage(String message) {
        String lower = message.toLowerCase(Locale.ROOT);
        if (lower.contains("connection reset") || lower.contains("broken pipe")) {
            return CLOSED; // whether a reset or an end is seen first is chance
        }
        if (lower.startsWith("unsupported or unrecognized ssl message") || lower.contains("plaintext connection")) {
            return NOT_TLS;
        }
        if (lower.startsWith("no subject alternative")
                || lower.startsWith("no name matching")
                || lower.startsWith("the certificate names no host")) {
            return OTHER_HOST;
        }
        return lower.contains("unable to find valid certification path") || lower.contains("no trust anchor")
                ? UNTRUSTED
                : OTHER;
    }
}
