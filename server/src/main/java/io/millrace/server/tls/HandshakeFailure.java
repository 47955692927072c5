package io.millrace.server.tls;

import io.netty.handler.codec.TooLongFrameException;
import io.netty.handler.ssl.NotSslRecordException;
import java.nio.channels.ClosedChannelException;
import java.security.cert.CertificateException;
import java.util.Locale;
import javax.net.ssl.SSLPeerUnverifiedException;
import org.jspecify.annotations.Nullable;

/** Why a TLS handshake with a client failed. */
enum HandshakeFailure {
    /** It waited too long for a place, because too many handshakes were in progress. */
    LIMIT,
    /** The handshake took too long. */
    TIMEOUT,
    /** The client left. */
    CLOSED,
    /** The client sent something that is not TLS. */
    NOT_TLS,
    /** The ClientHello is too long. */
    HELLO,
    /** The client offers no application protocol that is allowed here. */
    PROTOCOL,
    /** The client offers no version that is allowed here. */
    VERSION,
    /** The client has no cipher suite in common with the server. */
    CIPHER,
    /** The client's certificate is missing or not trusted. */
    CLIENT_CERTIFICATE,
    /** The client refused, for example the server's certificate. */
    BY_CLIENT,
    /** Anything else. */
    OTHER;

    /** The name in metrics, such as {@code not_tls}. */
    String label() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** The reason that {@code cause} tells, in the words of BoringSSL and of the JDK. */
    static HandshakeFailure of(@Nullable Throwable cause) {
        for (Throwable each = cause; each != null; each = each.getCause()) {
            HandshakeFailure known = ofOne(each);
            if (known != OTHER) {
                return known;
            }
        }
        return OTHER;
    }

    private static HandshakeFailure ofOne(Throwable cause) {
        if (cause instanceof NotSslRecordException) {
            return NOT_TLS;
        }
        if (cause instanceof TooLongFrameException) {
            return HELLO;
        }
        if (cause instanceof ClosedChannelException) {
            return CLOSED;
        }
        if (cause instanceof CertificateException || cause instanceof SSLPeerUnverifiedException) {
            return CLIENT_CERTIFICATE;
        }
        return ofMessage(String.valueOf(cause.getMessage()).toLowerCase(Locale.ROOT));
    }

    private static HandshakeFailure ofMessage(String message) {
        if (message.contains("_alert_") || message.contains("received fatal alert")) {
            return BY_CLIENT;
        }
        if (message.contains("peer_did_not_return_a_certificate")
                || message.contains("empty client certificate chain")
                || message.contains("certificate_verify_failed")) {
            return CLIENT_CERTIFICATE;
        }
        if (message.contains("unsupported_protocol")
                || message.contains("client requested protocol")
                || message.contains("client supported protocol versions")) {
            return VERSION;
        }
        if (message.contains("no_shared_cipher") || message.contains("no cipher suites in common")) {
            return CIPHER;
        }
        return OTHER;
    }
}
