package io.millrace.server.warmup;

import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.Http2Headers;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Locale;
import java.util.function.UnaryOperator;

/** The HTTP of the two ends of the warm-up. They know each other, so it is only a small part. */
final class Http {
    /** The length of the end of a chunked body: a line end and the last chunk. */
    static final int END_BYTES = 7;

    private Http() {}

    /**
     * A request for a stream.
     *
     * @param path the path with the query
     * @param fields further header fields, each with its line end
     */
    static byte[] request(String path, String fields, String body) {
        String head = "POST " + path + " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n" + fields
                + "Content-Length: " + body.length() + "\r\n\r\n";
        return (head + body).getBytes(StandardCharsets.US_ASCII);
    }

    /** The head of a request as HTTP/2 has it. */
    static Http2Headers head(byte[] request) {
        String[] lines =
                new String(request, 0, headEnd(request, request.length), StandardCharsets.US_ASCII).split("\r\n", -1);
        String[] line = lines[0].split(" ", -1);
        var head = new DefaultHttp2Headers(false)
                .method(line[0])
                .scheme("https")
                .authority("localhost")
                .path(line[1]);
        for (int i = 1; i < lines.length - 2; i++) { // the last two are the empty line's
            int colon = lines[i].indexOf(':');
            String name = lines[i].substring(0, colon).toLowerCase(Locale.ROOT);
            if (!name.equals("host") && !name.equals("connection")) {
                head.add(name, lines[i].substring(colon + 2));
            }
        }
        return head;
    }

    /** The index after the head in {@code bytes[0, length)}, after its empty line; -1 if the head is incomplete. */
    static int headEnd(byte[] bytes, int length) {
        for (int end = 4; end <= length; end++) {
            if (bytes[end - 1] == '\n' && bytes[end - 3] == '\n') {
                return end;
            }
        }
        return -1;
    }

    /** Whether {@code bytes[0, length)} ends a chunked body. */
    static boolean isWhole(byte[] bytes, int length) {
        return length >= END_BYTES
                && bytes[length - 1] == '\n'
                && bytes[length - 3] == '\n'
                && bytes[length - 5] == '0'
                && bytes[length - 6] == '\n';
    }

    /** Applies {@code change} to the data of each chunk of a chunked response. The data is ASCII. */
    static byte[] map(byte[] response, UnaryOperator<String> change) {
        String text = new String(response, StandardCharsets.US_ASCII);
        int at = headEnd(response, response.length);
        var out = new StringBuilder(text.substring(0, at));
        for (int length = -1; length != 0; ) {
            int data = text.indexOf("\r\n", at) + 2;
            length = Integer.parseInt(text, at, data - 2, 16);
            String changed = change.apply(text.substring(data, data + length));
            out.append(Integer.toHexString(changed.length())).append("\r\n");
            out.append(changed).append("\r\n");
            at = data + length + 2;
        }
        return out.toString().getBytes(StandardCharsets.US_ASCII);
    }

    /**
     * Reads a whole chunked response, including its head.
     *
     * @throws EOFException if it ends early
     */
    static byte[] readResponse(InputStream in) throws IOException {
        byte[] bytes = new byte[4096];
        int length = 0;
        while (!isWhole(bytes, length)) {
            bytes = length == bytes.length ? Arrays.copyOf(bytes, 2 * length) : bytes;
            int read = in.read(bytes, length, bytes.length - length);
            if (read < 0) {
                throw new EOFException("the response broke off after " + length + " bytes");
            }
            length += read;
        }
        return Arrays.copyOf(bytes, length);
    }
}
