package io.millrace.server.tls;

import io.millrace.server.config.Listener;
import io.millrace.server.config.Upstream;
import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.ssl.ApplicationProtocolConfig;
import io.netty.handler.ssl.ApplicationProtocolNames;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SupportedCipherSuiteFilter;
import io.netty.util.NetUtil;
import java.nio.file.Path;
import java.util.List;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLParameters;
import org.jspecify.annotations.Nullable;

/**
 * TLS to upstreams: versions 1.2 and 1.3, with forward secrecy and authenticated encryption only. {@link StrictTrust}
 * checks the certificate and the host name. SNI is always sent.
 */
public final class UpstreamTls {
    private UpstreamTls() {}

    /**
     * Makes a client context for HTTP/1.1.
     *
     * @param ca a PEM file of the only trusted certificates, or null for the system's
     * @throws SSLException if TLS cannot be set up
     * @throws IllegalArgumentException if the file holds no certificates
     */
    public static SslContext context(@Nullable Path ca) throws SSLException {
        return context(ca, Upstream.Http.Version.HTTP_1_1);
    }

    /**
     * Makes a client context.
     *
     * @param ca a PEM file of the only trusted certificates, or null for the system's
     * @param http what the server is offered by ALPN; HTTP/1.1 alone is not
     * @throws SSLException if TLS cannot be set up
     * @throws IllegalArgumentException if the file holds no certificates
     */
    public static SslContext context(@Nullable Path ca, Upstream.Http.Version http) throws SSLException {
        return SslContextBuilder.forClient()
                .sslProvider(TlsProfile.provider())
                .protocols(TlsProfile.versions(Listener.Tls.Version.V1_2))
                .ciphers(TlsProfile.CIPHERS, SupportedCipherSuiteFilter.INSTANCE)
                .endpointIdentificationAlgorithm("HTTPS")
                .trustManager(StrictTrust.of(ca))
                .applicationProtocolConfig(protocols(http))
                .build();
    }

    private static ApplicationProtocolConfig protocols(Upstream.Http.Version http) {
        return switch (http) {
            case HTTP_1_1 -> ApplicationProtocolConfig.DISABLED;
            case AUTO -> alpn(ApplicationProtocolNames.HTTP_2, ApplicationProtocolNames.HTTP_1_1);
            case HTTP_2 -> alpn(ApplicationProtocolNames.HTTP_2);
        };
    }

    private static ApplicationProtocolConfig alpn(String... protocols) {
        return new ApplicationProtocolConfig(
                ApplicationProtocolConfig.Protocol.ALPN,
                ApplicationProtocolConfig.SelectorFailureBehavior.NO_ADVERTISE,
                ApplicationProtocolConfig.SelectedListenerFailureBehavior.ACCEPT,
                protocols);
    }

    /** The handler of a connection. Its ClientHello names the host, also if the name has a single label. */
    public static SslHandler handler(String host, int port, SslContext context, ByteBufAllocator alloc) {
        SslHandler handler = context.newHandler(alloc, host, port);
        SNIHostName name = serverName(host);
        if (name != null) {
            SSLEngine engine = handler.engine();
            SSLParameters parameters = engine.getSSLParameters();
            parameters.setServerNames(List.of(name));
            engine.setSSLParameters(parameters);
        }
        return handler;
    }

    /** Null for addresses, and for names with underscores, which Java neither sends nor accepts in a certificate. */
    private static @Nullable SNIHostName serverName(String host) {
        if (NetUtil.isValidIpV4Address(host) || NetUtil.isValidIpV6Address(host)) {
            return null;
        }
        try {
            return new SNIHostName(host);
        } catch (IllegalArgumentException e) {
            return null;
        }
    }
}
