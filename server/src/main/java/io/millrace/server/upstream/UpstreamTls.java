package io.millrace.server.upstream;

import io.netty.handler.ssl.OpenSsl;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import java.nio.file.Path;
import javax.net.ssl.SSLException;

/** TLS towards upstreams: 1.2 and 1.3, the certificate checked against the host name, SNI always sent. */
public final class UpstreamTls {
    private UpstreamTls() {}

    /**
     * A client context.
     *
     * @param ca a PEM file of the only trusted certificates, or null for the system's
     * @throws SSLException if the file holds none, or TLS cannot be set up
     */
    public static SslContext context(Path ca) throws SSLException {
        var builder = SslContextBuilder.forClient()
                .sslProvider(OpenSsl.isAvailable() ? SslProvider.OPENSSL : SslProvider.JDK)
                .protocols("TLSv1.3", "TLSv1.2")
                .endpointIdentificationAlgorithm("HTTPS");
        if (ca != null) {
            builder.trustManager(ca.toFile());
        }
        return builder.build();
    }
}
