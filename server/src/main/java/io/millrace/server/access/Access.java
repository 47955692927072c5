package io.millrace.server.access;

import io.millrace.server.config.RelayConfig;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponse;
import java.net.InetAddress;
import org.jspecify.annotations.Nullable;

/** Decides by a request's head who may use the relay, before anything else happens. Immutable. */
public final class Access {
    private final RelayConfig config;
    private final Clients clients;
    private final @Nullable CrossOrigin crossOrigin;

    Access(RelayConfig config, Clients clients) {
        this.config = config;
        this.clients = clients;
        crossOrigin = CrossOrigin.of(config.cors());
    }

    /**
     * Identifies the client. Removes its key from the request, so that no other code sees it. To be called first.
     *
     * @param address of the client; null for that of a unix socket
     * @param certificate the name in the client's TLS certificate, which is used if there is no key; null if there is
     *     none
     */
    public Caller identify(HttpRequest request, @Nullable InetAddress address, @Nullable String certificate) {
        if (!config.clients().on()) {
            return Caller.ANYONE;
        }
        SentKey sent = SentKey.in(request);
        sent.remove();
        Caller caller = sent.isAmbiguous()
                ? Caller.careless("This request has more than one key of this relay, or its field twice.")
                : sent.isMissing() ? ofCertificate(certificate, address) : ofKey(sent.digest(), address);
        if (caller.refusal() != null) {
            return caller;
        }
        String stray = SentKey.strayPlace(request);
        return stray == null ? caller : Caller.careless("This request has a key of this relay in " + stray + ", too.");
    }

    private Caller ofKey(byte @Nullable [] digest, @Nullable InetAddress address) {
        Clients.Key key = digest == null ? null : clients.find(digest, System.currentTimeMillis());
        return key == null ? Caller.STRANGER : Caller.of(key.client(), key.id(), address);
    }

    private Caller ofCertificate(@Nullable String name, @Nullable InetAddress address) {
        Client client = name == null ? null : clients.ofCertificate(name);
        return client == null ? Caller.STRANGER : Caller.of(client, null, address);
    }

    /** The fields of the response for pages of other origins; null if the relay does not decide about them. */
    public @Nullable HttpHeaders grants(HttpRequest request) {
        return crossOrigin == null ? null : crossOrigin.grants(request);
    }

    /** The answer to a CORS preflight; null if the request is not one, or if an upstream answers it. */
    public @Nullable HttpResponse preflight(HttpRequest request) {
        return crossOrigin != null && CrossOrigin.isPreflight(request) ? crossOrigin.preflight(request) : null;
    }

    /**
     * Why the request may not use the relay's keys, as an error message; null if it may, or if the relay adds none.
     *
     * @param evenGet whether a GET may use them, too
     */
    public @Nullable String violation(HttpRequest request, boolean evenGet) {
        return config.mustBeClosed() ? OpenGuard.violation(request, config, evenGet) : null;
    }

    /**
     * Why the request may not see or change what the relay does, as an error message; null if it may. Only the relay's
     * own page may, whether or not the relay adds keys.
     */
    public @Nullable String violationOfOwn(HttpRequest request) {
        return OpenGuard.violationOfOwn(request, config.allowOpen());
    }

    /** Whether a proxy says that it passes the request on for a client of its own. */
    public static boolean isForwarded(HttpRequest request) {
        return OpenGuard.isForwarded(request);
    }

    /**
     * Removes a granted origin from the request to the upstream. The relay sends that request, and some upstreams
     * answer pages differently.
     */
    public void hideOrigin(HttpRequest request) {
        if (crossOrigin != null && crossOrigin.isGranted(request)) {
            request.headers().remove(HttpHeaderNames.ORIGIN);
        }
    }
}
