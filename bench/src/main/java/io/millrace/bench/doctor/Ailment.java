package io.millrace.bench.doctor;

import java.util.Locale;

/** A fault on the path of a stream. */
enum Ailment {
    UNREACHABLE("no connection, or no answer that is HTTP"),
    NO_SUCH_NAME("the host's name does not resolve"),
    UNTRUSTED("the server's certificate is not trusted"),
    TLS("the TLS handshake fails"),
    SPEAKS_TLS("the port speaks TLS, and it was asked over plain HTTP"),
    SPEAKS_NO_TLS("the port does not speak TLS"),
    KEY("the key is missing or not accepted"),
    NO_API("there is no API at this path"),
    WEB_PAGE("a web page answers at this path, and no API"),
    REDIRECTED("the path redirects, which SDKs do not follow with a POST"),
    LIMITED("a limit of requests is reached, so that there is no stream to judge"),
    SERVER_BEHIND("a proxy answers, and the server behind it is down or too slow"),
    REFUSED("the request is refused, so that there is no stream to judge"),
    CONTENT_TYPE("the answer is no event stream: browsers and SDKs do not read it as one"),
    CHARSET("the charset is not UTF-8, in which every event stream is"),
    HELD("the answer is held back until it is whole"),
    BUFFERED("tokens are collected in a buffer and come in clumps"),
    CORKED("small pieces wait about 200 ms in the kernel for more to send"),
    DELAYED_ACK("Nagle's algorithm waits for delayed acknowledgements: tokens come in a comb of 40 ms"),
    RECHUNKED("tokens are cut out of an answer that was complete before: somebody held it and sends it in pieces"),
    BURST("the pacing cannot be judged: all tokens came at once, from the model or from a buffer"),
    COMPRESSED("the stream is compressed, which collects tokens and breaks clients that do not expect it"),
    CACHEABLE("Cache-Control lets caches keep the stream"),
    CACHE_CONTROL("Cache-Control does not keep proxies from changing the stream"),
    ACCEL("X-Accel-Buffering: no is missing: an nginx added later will buffer the stream"),
    OLD_HTTP("the answer is HTTP/1.0: it has no chunks, and a cut cannot be told from an end"),
    CONTENT_LENGTH("a stream has a Content-Length: somebody had all of it before sending any"),
    TRUNCATED("the stream is cut before its end"),
    NO_TERMINAL("the stream ends without its dialect's last event, so a client cannot know if it is whole"),
    FAILED("the stream reports an error"),
    LOST("tokens are missing, doubled or out of order"),
    IDLE("a silent stream is cut: a model that thinks for longer loses its answer"),
    CORS("a page of that origin may not read the answer"),
    ERROR_SHAPE("errors do not come as the dialect's JSON, so that SDKs cannot tell what failed");

    private final String text;

    Ailment(String text) {
        this.text = text;
    }

    /** Its description, for people. */
    String text() {
        return text;
    }

    /** Its name, for programs. */
    String code() {
        return name().toLowerCase(Locale.ROOT);
    }
}
