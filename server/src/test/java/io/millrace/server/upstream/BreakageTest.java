package io.millrace.server.upstream;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.server.upstream.CallListener.Breakage;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2Exception;
import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What clients are told of broken connections: no words of Netty's or the system's, and no addresses. */
class BreakageTest {
    @ParameterizedTest
    @CsvSource({
        "recvAddress(..) failed with error(-104): Connection reset by peer, the upstream reset the connection",
        "writevAddresses(..) failed with error(-32): Broken pipe, the upstream closed the connection",
        "Connection timed out: /10.1.2.3:9109, the connection timed out",
        "finishConnect(..) failed with error(-113): No route to host: /10.1.2.3:9109, the connection failed",
    })
    void isToldInOurWords(String message, String told) {
        for (boolean begun : new boolean[] {true, false}) {
            assertThat(Breakage.of(new IOException(message), begun, false).detail())
                    .isEqualTo(told);
        }
        assertThat(Breakage.of(new ClosedChannelException(), true, false).detail())
                .isEqualTo("the upstream closed the connection");
    }

    @Test
    void tellsAFaultOfHttp2ByItsCode() {
        Http2Exception fault = Http2Exception.connectionError(
                Http2Error.PROTOCOL_ERROR, "Stream %d does not exist for inbound frame %s", 9, "DATA");
        Breakage told = new Breakage(Breakage.Kind.PROTOCOL, "no valid HTTP/2 (PROTOCOL_ERROR)");

        assertThat(Breakage.of(fault, true, false)).isEqualTo(told);
        assertThat(Breakage.ofProtocol(fault)).isEqualTo(told);
    }
}
