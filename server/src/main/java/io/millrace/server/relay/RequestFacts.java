package io.millrace.server.relay;

import io.millrace.codec.dialect.Dialect;
import io.millrace.codec.dialect.StreamStop;
import io.millrace.server.access.Caller;
import io.millrace.server.address.ClientAddress;
import io.millrace.server.downstream.ConnectionTerms;
import io.millrace.server.own.OwnEndpoints.Asked;
import io.millrace.server.telemetry.Correlation;
import io.millrace.server.telemetry.Summary;
import io.netty.handler.codec.http.HttpRequest;
import java.net.InetAddress;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** The facts about a request that others are told. */
final class RequestFacts {
    private RequestFacts() {}

    /** The facts for the frames that stop a stream now. */
    static StreamStop stop(ClientRequest request, String requestId) {
        long nowSeconds = TimeUnit.MILLISECONDS.toSeconds(System.currentTimeMillis());
        RequestFields fields = request.fields();
        return new StreamStop(requestId, fields.model(), fields.choices(), request.usageAsked(), nowSeconds);
    }

    /**
     * The facts for the access log and the counts.
     *
     * @param from the client's address; null for a client of a unix socket
     */
    static Summary.Request summary(
            ClientRequest request, @Nullable InetAddress from, ConnectionTerms terms, String requestId, Caller caller) {
        return new Summary.Request(
                from,
                terms.protocol(),
                terms.tlsVersion(),
                requestId,
                request.method().name(),
                request.target().path(),
                request.client().label(),
                request.fields().loggedModel(),
                request.body().received(),
                request.correlation,
                caller.name(),
                caller.keyId());
    }

    /** The facts about a request to read a stream. */
    static Summary.Request ofFollow(Asked asked, String requestId) {
        ConnectionTerms terms = asked.downstream().terms();
        HttpRequest request = asked.request();
        var trusted = asked.config().trustedProxies();
        return new Summary.Request(
                ClientAddress.of(asked.downstream().client(), request.headers(), trusted),
                terms.protocol(),
                terms.tlsVersion(),
                requestId,
                request.method().name(),
                null,
                Dialect.UNKNOWN.label(),
                null,
                0,
                Correlation.of(request.headers()),
                asked.caller().name(),
                asked.caller().keyId());
    }
}
