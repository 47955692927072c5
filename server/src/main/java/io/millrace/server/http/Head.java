package io.millrace.server.http;

import io.netty.handler.codec.http.DefaultHttpRequest;
import io.netty.handler.codec.http.DefaultHttpResponse;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;

/**
 * Makes heads of messages for any version of HTTP. The connection that sends a head writes its own version, and
 * chooses the framing of the body. The version in Netty's objects has no meaning here.
 */
public final class Head {
    private Head() {}

    public static HttpRequest ofRequest(HttpMethod method, String uri, HttpHeaders headers) {
        return new DefaultHttpRequest(HttpVersion.HTTP_1_1, method, uri, headers);
    }

    public static HttpResponse ofResponse(HttpResponseStatus status, HttpHeaders headers) {
        return new DefaultHttpResponse(HttpVersion.HTTP_1_1, status, headers);
    }
}
