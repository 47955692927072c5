package io.millrace.server.tls;

import io.netty.handler.ssl.ApplicationProtocolConfig;
import io.netty.handler.ssl.OpenSslServerSessionContext;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import io.netty.handler.ssl.SupportedCipherSuiteFilter;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.ReferenceCounted;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/**
 * The contexts of a listener's certificates, by host name. Immutable, but their ticket keys may change. All contexts
 * have the same rules for clients, so that a session of one can be resumed with another.
 */
final class TlsContexts {
    private final List<SslContext> contexts = new ArrayList<>();
    private final Map<String, SslContext> exact = new HashMap<>();
    /** By the text after the star, with its dot. */
    private final Map<String, SslContext> wildcards = new HashMap<>();

    /**
     * How all contexts of a listener are made.
     *
     * @param provider the implementation
     * @param versions of TLS, the best first
     * @param protocols that are spoken inside, the best first
     */
    record Rules(SslProvider provider, List<String> versions, List<String> protocols, ClientCertificates clients) {}

    /**
     * Makes a context for each certificate. If several certificates have the same name, the first one is used for it.
     *
     * @throws SSLException if one cannot be made
     */
    TlsContexts(List<ServerCertificate> certificates, Rules rules, TicketKeys tickets) throws SSLException {
        try {
            for (ServerCertificate certificate : certificates) {
                SslContext context = context(certificate, rules);
                contexts.add(context);
                certificate.names().forEach(name -> put(name, context));
            }
            tickets(tickets);
        } catch (SSLException | RuntimeException e) {
            release();
            throw e;
        }
    }

    private void put(String name, SslContext context) {
        if (name.startsWith("*.")) {
            wildcards.putIfAbsent(name.substring(1), context);
        } else {
            exact.putIfAbsent(name, context);
        }
    }

    /** The context for a host: by its exact name, else by a wildcard for its first label, else the first context. */
    SslContext of(@Nullable String host) {
        if (host == null) {
            return contexts.get(0);
        }
        String name = host.toLowerCase(Locale.ROOT);
        SslContext context = exact.get(name);
        int dot = name.indexOf('.');
        if (context == null && dot > 0) {
            context = wildcards.get(name.substring(dot));
        }
        return context == null ? contexts.get(0) : context;
    }

    /**
     * Keeps a context from being freed until it is released.
     *
     * @throws io.netty.util.IllegalReferenceCountException if it is freed already
     */
    static void retain(SslContext context) {
        if (context instanceof ReferenceCounted counted) {
            counted.retain();
        }
    }

    /** Uses these ticket keys from now on. The JDK's implementation has keys of its own. */
    void tickets(TicketKeys tickets) {
        for (SslContext context : contexts) {
            if (context.sessionContext() instanceof OpenSslServerSessionContext sessions) {
                sessions.setTicketKeys(tickets.keys());
            }
        }
    }

    /** Releases them. They are freed when the connections that use them are closed. */
    void release() {
        contexts.forEach(ReferenceCountUtil::release);
    }

    private static SslContext context(ServerCertificate certificate, Rules rules) throws SSLException {
        SslContext context = SslContextBuilder.forServer(
                        certificate.key(), certificate.chain().toArray(X509Certificate[]::new))
                .sslProvider(rules.provider())
                .protocols(rules.versions())
                .ciphers(TlsProfile.CIPHERS, SupportedCipherSuiteFilter.INSTANCE)
                .applicationProtocolConfig(new ApplicationProtocolConfig(
                        ApplicationProtocolConfig.Protocol.ALPN,
                        ApplicationProtocolConfig.SelectorFailureBehavior.NO_ADVERTISE,
                        ApplicationProtocolConfig.SelectedListenerFailureBehavior.ACCEPT,
                        rules.protocols()))
                .clientAuth(rules.clients().auth())
                .trustManager(ClientTrust.of(rules.clients().authorities()))
                .sessionTimeout(TicketKeys.LIFETIME_S)
                .build();
        if (context.sessionContext() instanceof OpenSslServerSessionContext sessions) {
            sessions.setSessionCacheEnabled(false); // the client keeps its session, in its ticket
        }
        return context;
    }
}
