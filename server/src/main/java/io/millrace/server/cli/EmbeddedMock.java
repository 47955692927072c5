package io.millrace.server.cli;

import io.millrace.server.mock.MockConfig;
import io.millrace.server.mock.MockServer;
import io.millrace.server.mock.MockSpec;
import java.net.URI;
import org.jspecify.annotations.Nullable;

/** A mock LLM that starts when its address is first needed. It answers at the pace of a person's reading. */
final class EmbeddedMock implements AutoCloseable {
    private static final String PACE = "ttft_ms=300,gap_ms=25";

    private @Nullable MockServer server;

    /** Its address. The first call starts it on a free loopback port. */
    synchronized URI uri() {
        if (server == null) {
            server = MockServer.start(MockConfig.defaults().withSpec(MockSpec.parse(PACE)));
        }
        return server.uri();
    }

    /** Whether it was started. */
    synchronized boolean isRunning() {
        return server != null;
    }

    @Override
    public synchronized void close() {
        if (server != null) {
            server.close();
        }
    }
}
