package io.millrace.it.clients;

import io.millrace.server.config.Listener.Protocol;

/** The same over TLS and HTTP/2. This relay allows nothing else. */
final class OpenAiJavaHttp2Test extends OpenAiJavaTest {
    private static final TestTls TLS = TestTls.make();

    @Override
    Sdk sdk() {
        return new OpenAiJavaSdk(TLS);
    }

    @Override
    Bed newBed() {
        return new Bed(TLS, Protocol.H2);
    }
}
