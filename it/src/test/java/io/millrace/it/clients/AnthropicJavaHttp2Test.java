package io.millrace.it.clients;

import io.millrace.server.config.Listener.Protocol;

/** The same over TLS and HTTP/2. This relay allows nothing else. */
final class AnthropicJavaHttp2Test extends AnthropicJavaTest {
    private static final TestTls TLS = TestTls.make();

    @Override
    Sdk sdk() {
        return new AnthropicJavaSdk(TLS);
    }

    @Override
    Bed newBed() {
        return new Bed(TLS, Protocol.H2);
    }
}
