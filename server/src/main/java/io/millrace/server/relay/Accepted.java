package io.millrace.server.relay;

import io.millrace.server.downstream.ClientStream;
import io.millrace.server.http.HeaderRules;
import io.millrace.server.http.Prefer;
import io.netty.handler.codec.http.DefaultHttpHeaders;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import java.nio.charset.StandardCharsets;

/** The answer to a client that reads its stream elsewhere (RFC 7240 section 4.1). */
final class Accepted {
    private static final String STREAMS = "/millrace/streams/";

    private Accepted() {}

    /** Tells {@code client} where its stream is. */
    static void tell(ClientStream client, String streamId, String requestId) {
        HttpHeaders headers = new DefaultHttpHeaders();
        headers.set(HttpHeaderNames.LOCATION, STREAMS + streamId);
        headers.set(Prefer.APPLIED, Prefer.RESPOND_ASYNC);
        headers.set(HeaderRules.STREAM_ID, streamId);
        headers.set(HeaderRules.OWN_REQUEST_ID, requestId);
        String json = "{\"id\":\"" + streamId + "\",\"url\":\"" + STREAMS + streamId + "\"}";
        client.respond(202, json.getBytes(StandardCharsets.US_ASCII), headers);
    }
}
