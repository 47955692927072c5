package io.millrace.server.http;

import io.millrace.server.config.Credential;
import io.netty.handler.codec.http.DefaultHttpHeadersFactory;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpHeadersFactory;
import io.netty.util.AsciiString;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.function.BiPredicate;
import org.jspecify.annotations.Nullable;

/** Decides which header fields pass the relay, in both directions (RFC 9110 section 7.6.1). */
public final class HeaderRules {
    public static final AsciiString REQUEST_ID = AsciiString.cached("x-request-id");
    public static final AsciiString OWN_REQUEST_ID = AsciiString.cached("x-millrace-request-id");
    public static final AsciiString STREAM_ID = AsciiString.cached("x-millrace-stream");
    public static final AsciiString RESUME = AsciiString.cached("x-millrace-resume");
    public static final AsciiString OFFSET = AsciiString.cached("x-millrace-offset");
    public static final AsciiString OLDEST = AsciiString.cached("x-millrace-oldest");
    public static final AsciiString TAIL = AsciiString.cached("x-millrace-tail");
    public static final AsciiString STATE = AsciiString.cached("x-millrace-state");
    public static final AsciiString DROPPED = AsciiString.cached("x-millrace-dropped");
    public static final AsciiString UPSTREAM = AsciiString.cached("x-millrace-upstream");
    public static final AsciiString ATTEMPTS = AsciiString.cached("x-millrace-attempts");
    public static final AsciiString SHOULD_RETRY = AsciiString.cached("x-should-retry");
    public static final AsciiString ACCEL_BUFFERING = AsciiString.cached("x-accel-buffering");

    /** Makes browsers use only TLS with the host that sends it (RFC 6797). */
    public static final AsciiString HSTS = AsciiString.cached("strict-transport-security");

    private static final NameSet HOP_BY_HOP = NameSet.of(
            "connection",
            "keep-alive",
            "proxy-connection",
            "te",
            "trailer",
            "transfer-encoding",
            "upgrade",
            "http2-settings");
    private static final NameSet CREDENTIALS =
            NameSet.of("authorization", "x-api-key", "api-key", "x-goog-api-key", "cookie");
    /** Fields for a proxy in between. The relay is that proxy. */
    private static final NameSet FOR_THIS_HOP = NameSet.of(
            "host", "content-length", "expect", "proxy-authorization", "proxy-authenticate", "x-millrace-key");

    private static final NameSet ACCOUNT = NameSet.of(
            "set-cookie",
            "openai-organization",
            "openai-project",
            "anthropic-organization-id",
            "anthropic-workspace-id");
    /** Fields about the host that sends them. For the client, that host is the relay. */
    private static final NameSet OF_HOST = NameSet.of("strict-transport-security", "alt-svc");
    /** Fields that are replaced, or have no meaning, on the head of a relayed event stream. */
    private static final NameSet STREAM_OWN = NameSet.of(
            "content-length", "content-encoding", "cache-control", "x-accel-buffering", "x-millrace-request-id");

    /** Fields that browsers and SDKs send to their own servers. Other servers might refuse them. */
    private static final NameSet OF_CLIENT = NameSet.of(
            "accept",
            "accept-encoding",
            "content-type",
            "content-encoding",
            "cookie",
            "origin",
            "referer",
            "last-event-id",
            "x-app",
            "x-server-timeout");

    private static final List<AsciiString> OF_PROVIDER = List.of(
            AsciiString.cached("anthropic-"),
            AsciiString.cached("openai-"),
            AsciiString.cached("x-stainless-"),
            AsciiString.cached("x-claude-code-"),
            AsciiString.cached("x-codex-"),
            AsciiString.cached("x-openai-"),
            AsciiString.cached("x-goog-"),
            AsciiString.cached("sec-"));

    /** Names and values that were decoded are not validated again. */
    private static final HttpHeadersFactory UNCHECKED =
            DefaultHttpHeadersFactory.headersFactory().withValidation(false);

    private HeaderRules() {}

    /** The fields of a client's request for the upstream; {@code credential} is null for the client's own. */
    public static HttpHeaders toUpstream(HttpHeaders client, @Nullable Credential credential) {
        HttpHeaders headers = copy(client, (name, value) -> passesToUpstream(name, credential != null));
        if (credential != null) {
            headers.set(credential.header(), credential.value());
        }
        return headers;
    }

    /**
     * The fields of a client's request for an upstream of another dialect. It has no credentials, and no fields that
     * concern the client's own dialect or the form of the body.
     */
    public static HttpHeaders translated(HttpHeaders client) {
        return copy(
                client,
                (name, value) -> passesToUpstream(name, true) && !OF_CLIENT.contains(name) && !isOfProvider(name));
    }

    private static boolean isOfProvider(CharSequence name) {
        for (AsciiString prefix : OF_PROVIDER) {
            if (AsciiString.regionMatches(name, true, 0, prefix, 0, prefix.length())) {
                return true;
            }
        }
        return false;
    }

    /**
     * The fields of an upstream's response for the client, without hop-by-hop fields and those of the framing.
     *
     * @param credential what the upstream was asked with; null is the client's own
     */
    public static HttpHeaders toClient(HttpHeaders upstream, @Nullable Credential credential, boolean stream) {
        return copy(
                upstream,
                (name, value) -> !OF_HOST.contains(name)
                        && !(credential != null && isAccounts(name, value, credential))
                        && !(stream && STREAM_OWN.contains(name)));
    }

    /** The fields that are not hop-by-hop and that {@code passes} accepts by their name and value. */
    private static HttpHeaders copy(HttpHeaders from, BiPredicate<CharSequence, CharSequence> passes) {
        var headers = UNCHECKED.newHeaders();
        List<String> named = from.getAll(HttpHeaderNames.CONNECTION);
        Iterator<Map.Entry<CharSequence, CharSequence>> fields = from.iteratorCharSequence();
        while (fields.hasNext()) {
            var field = fields.next();
            if (!isOfHop(field.getKey(), named) && passes.test(field.getKey(), field.getValue())) {
                headers.add(field.getKey(), field.getValue());
            }
        }
        return headers;
    }

    /** Whether a field describes the relay's account, or repeats its key, as some servers do in their errors. */
    private static boolean isAccounts(CharSequence name, CharSequence value, Credential credential) {
        String secret = credential.secret().reveal();
        return ACCOUNT.contains(name)
                || value.toString().contains(secret)
                || AsciiString.containsIgnoreCase(name, secret);
    }

    private static boolean passesToUpstream(CharSequence name, boolean injected) {
        if (FOR_THIS_HOP.contains(name) || WayFields.contains(name)) {
            return false;
        }
        // A careless server may turn an underscore into a hyphen and so restore a dropped credential.
        return !injected || (!CREDENTIALS.contains(name) && AsciiString.indexOf(name, '_', 0) < 0);
    }

    private static boolean isOfHop(CharSequence name, List<String> connection) {
        if (HOP_BY_HOP.contains(name)) {
            return true;
        }
        for (int i = 0; i < connection.size(); i++) {
            for (String token : connection.get(i).split(",", -1)) {
                if (AsciiString.contentEqualsIgnoreCase(token.trim(), name)) {
                    return true;
                }
            }
        }
        return false;
    }
}
