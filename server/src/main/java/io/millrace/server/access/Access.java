package io.millrace.server.access;

import io.millrace.server.config.RelayConfig;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponse;
import org.jspecify.annotations.Nullable;

/** Who may ask, decided by a request's head before anything is done for it. Immutable. */
public final class Access {
    private final RelayConfig config;
    private final @Nullable CrossOrigin crossOrigin;

    /** As {@code config} says. */
    public Access(RelayConfig config) {
        this.config = config;
        crossOrigin = CrossOrigin.of(config.cors());
    }

    /** What the response says to pages of other origins; null where the relay has no say in it. */
    public @Nullable HttpHeaders grants(HttpRequest request) {
        return crossOrigin == null ? null : crossOrigin.grants(request);
    }

    /** The answer to a browser that asks what a page may ask for; null if the request is another, or is for an upstream. */
    public @Nullable HttpResponse preflight(HttpRequest request) {
        return crossOrigin != null && CrossOrigin.isPreflight(request) ? crossOrigin.preflight(request) : null;
    }

    /**
     * Why the request may not use the relay's keys, for an error message; null if it may, or if the relay adds none.
     *
     * @param evenGet whether a GET may use them, too
     */
    public @Nullable String violation(HttpRequest request, boolean evenGet) {
        return config.injectsCredentials() ? OpenGuard.violation(request, config, evenGet) : null;
    }

    /** Lets an upstream see no origin that was granted here: it is asked by the relay, and some answer a page otherwise. */
    public void hideOrigin(HttpRequest request) {
        if (crossOrigin != null && crossOrigin.isGranted(request)) {
            request.headers().remove(HttpHeaderNames.ORIGIN);
        }
    }
}
