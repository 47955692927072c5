package io.millrace.server.tls;

import io.netty.handler.codec.TooLongFrameException;
import io.netty.handler.ssl.NotSslRecordException;
import java.nio.channels.ClosedChannelException;
import java.security.cert.CertificateException;
import java.util.Locale;
import javax.net.ssl.SSLPeerUnverifiedException;
import org.jspecify.annotations.Nullable;

/** Why a client did not get a connection with TLS. */
enum HandshakeFailure {
    /** There were as many handshakes as may be. */
    LIMIT,
    /** It took too long. */
    TIMEOUT,
    /** The client left. */
    CLOSED,
    /** What it sent is no TLS. */
    NOT_TLS,
    /** Its hello is too long. */
    HELLO,
    /** It speaks nothing inside of TLS that is spoken here. */
    PROTOCOL,
    /** It speaks no version that is spoken here. */
    VERSION,
    /** It has no cipher suite in common with the server. */
    CIPHER,
    /** Its certificate is missing, or none that is trusted. */
    CLIENT_CERTIFICATE,
    /** The client refused, such as the server's certificate. */
    BY_CLIENT,
    /** Anything else. */
    OTHER;

    /** As it is called in metrics, such as {@code not_tls}. */
    String label() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** What {@code cause} says, in the words of BoringSSL and of the JDK. */
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
