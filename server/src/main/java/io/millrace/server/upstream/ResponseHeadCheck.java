package io.millrace.server.upstream;

import io.netty.handler.codec.TooLongFrameException;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpVersion;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Checks that a response's head defines the end of its body without ambiguity. */
final class ResponseHeadCheck {
    private ResponseHeadCheck() {}

    /** Other messages of the decoder repeat what the upstream has sent. */
    private static String fault(Throwable cause) {
        return cause instanceof TooLongFrameException ? CallListener.Breakage.message(cause) : "no valid HTTP";
    }

    /** The fault of {@code head}, for logs and error messages; null if there is none. */
    static @Nullable String violation(HttpResponse head) {
        if (head.decoderResult().isFailure()) {
            return "response head: " + fault(head.decoderResult().cause());
        }
        int status = head.status().code();
        if (status == 101 || status < 100 || status > 599) {
            return "response status: " + status + " (expected: 200 to 599)";
        }
        if (!isServed(head.protocolVersion())) {
            return "response version: " + head.protocolVersion() + " (expected: HTTP/1.1, in capitals)";
        }
        List<String> codings = head.headers().getAll(HttpHeaderNames.TRANSFER_ENCODING);
        if (codings.size() > 1
                || (codings.size() == 1 && !isKnownCoding(codings.get(0).trim()))) {
            return "response transfer coding: " + codings + " (expected: chunked)";
        }
        return null;
    }

    /**
     * Netty's decoder returns these two constants only for their exact names. For {@code http/1.1} it makes another
     * object, which is equal.
     */
    @SuppressWarnings("ReferenceEquality")
    private static boolean isServed(HttpVersion version) {
        return version == HttpVersion.HTTP_1_1 || version == HttpVersion.HTTP_1_0;
    }

    private static boolean isKnownCoding(String coding) {
        return coding.equalsIgnoreCase("chunked") || coding.equalsIgnoreCase("identity");
    }
}
