package io.millrace.server.mock;

import io.millrace.server.transport.Transport;
import io.netty.handler.ssl.SslContext;
import java.nio.file.Path;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The address, the threads and the default responses of a {@link MockServer}.
 *
 * @param host the address to bind, such as {@code 127.0.0.1}
 * @param port the port to bind; 0 binds a free one
 * @param eventLoops the number of threads, 1 or more
 * @param transport the kernel interface for sockets
 * @param spec the responses, unless a request asks for others
 * @param replayDir the directory of recorded {@code .sse} files for {@code replay=NAME}, or null for the recordings on
 *     the class path under {@code fixtures/streams}
 * @param ssl the server context if the mock speaks TLS, or null
 */
public record MockConfig(
        String host,
        int port,
        int eventLoops,
        Transport transport,
        MockSpec spec,
        @Nullable Path replayDir,
        @Nullable SslContext ssl) {
    /** Checks every range. */
    public MockConfig {
        Objects.requireNonNull(host, "host");
        Objects.requireNonNull(transport, "transport");
        Objects.requireNonNull(spec, "spec");
        if (port < 0 || port > 65535) {
            throw new IllegalArgumentException("port: " + port + " (expected: 0-65535)");
        }
        if (eventLoops < 1) {
            throw new IllegalArgumentException("eventLoops: " + eventLoops + " (expected: >= 1)");
        }
    }

    /** A free port of 127.0.0.1, one event loop, no pauses, no faults. */
    public static MockConfig defaults() {
        return new MockConfig("127.0.0.1", 0, 1, Transport.best(), MockSpec.PLAIN, null, null);
    }

    /** This configuration at another address. */
    public MockConfig withAddress(String host, int port) {
        return new MockConfig(host, port, eventLoops, transport, spec, replayDir, ssl);
    }

    /** This configuration with that many threads. */
    public MockConfig withEventLoops(int eventLoops) {
        return new MockConfig(host, port, eventLoops, transport, spec, replayDir, ssl);
    }

    /** This configuration on another transport. */
    public MockConfig withTransport(Transport transport) {
        return new MockConfig(host, port, eventLoops, transport, spec, replayDir, ssl);
    }

    /** This configuration with other default responses. */
    public MockConfig withSpec(MockSpec spec) {
        return new MockConfig(host, port, eventLoops, transport, spec, replayDir, ssl);
    }

    /** This configuration with another directory of recordings. */
    public MockConfig withReplayDir(@Nullable Path replayDir) {
        return new MockConfig(host, port, eventLoops, transport, spec, replayDir, ssl);
    }

    /** This configuration with TLS. */
    public MockConfig withSsl(SslContext ssl) {
        return new MockConfig(host, port, eventLoops, transport, spec, replayDir, ssl);
    }
}
