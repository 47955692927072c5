package io.millrace.server.tls;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import javax.net.ssl.SSLHandshakeException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TlsFailureTest {
    /** The words of the JDK, and of the kernel on Netty's transports. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "Connection reset",
                "recvAddress(..) failed with error(-104): Connection reset by peer",
                "sendAddress(..) failed with error(-32): Broken pipe",
            })
    void aResetIsAClose(String message) {
        assertThat(TlsFailure.of(new SSLHandshakeException("x").initCause(new IOException(message))))
                .isEqualTo(TlsFailure.CLOSED);
    }

    @Test
    void otherFailuresAreToldInTheirOwnWords() {
        assertThat(TlsFailure.of(new ClosedChannelException())).isEqualTo(TlsFailure.CLOSED);
        assertThat(TlsFailure.words(new IOException("x", new IOException("No route to host"))))
                .isEqualTo("the TLS handshake failed: No route to host");
    }
}
