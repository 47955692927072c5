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
 * The contexts of a listener's certificates, by the names that these are for. Immutable; the keys of tickets within may
 * change. All have the same rules for clients, so that a session of one may go on in another.
 */
final class TlsContexts {
    private final List<SslContext> contexts = new ArrayList<>();
    private final Map<String, SslContext> exact = new HashMap<>();
    /** By what is behind the star, with its dot. */
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
     * A context for each certificate. Where several have a name, the first is for it.
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

    /** The one for a host: of its very name, else of a wildcard for its first label, else the first. */
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

    /** From now on with these keys of tickets. The JDK's implementation has keys of its own. */
    void tickets(TicketKeys tickets) {
        for (SslContext context : contexts) {
            if (context.sessionContext() instanceof OpenSslServerSessionContext sessions) {
                sessions.setTicketKeys(tickets.keys());
            }
        }
    }

    /** Frees them, once the connections that have begun with them are closed. */
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
