package io.millrace.server.warmup;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** As much HTTP as the two ends of the warm-up need: they know each other. */
final class Http {
    private static final String BODY = "{\"model\":\"%s\",\"stream\":true,\"max_tokens\":4096,\"stream_options\":"
            + "{\"include_usage\":true},\"messages\":[{\"role\":\"user\",\"content\":\"" + "x".repeat(1200) + "\"}]}";

    private Http() {}

    /**
     * A request for a stream.
     *
     * @param path with the query
     * @param fields of the head, each with its line end
     * @param model named in the body
     */
    static byte[] request(String path, String fields, String model) {
        String body = BODY.formatted(model);
        String head = "POST " + path + " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n" + fields
                + "Content-Length: " + body.length() + "\r\n\r\n";
        return (head + body).getBytes(StandardCharsets.US_ASCII);
    }

    /** How long the body of a request is that names this model. */
    static int bodyLength(String model) {
        return BODY.formatted(model).length();
    }

    /** Where the head ends in {@code bytes[0, length)}, behind its empty line; -1 if it does not. */
    static int headEnd(byte[] bytes, int length) {
        for (int end = 4; end <= length; end++) {
            if (bytes[end - 1] == '\n' && bytes[end - 3] == '\n') {
                return end;
            }
        }
        return -1;
    }

    /** Whether a chunked body is over with {@code bytes[0, length)}. */
    static boolean isWhole(byte[] bytes, int length) {
        return length > 6
                && bytes[length - 1] == '\n'
                && bytes[length - 3] == '\n'
                && bytes[length - 5] == '0'
                && bytes[length - 6] == '\n';
    }

    /**
     * Reads a chunked response whole, with its head.
     *
     * @throws EOFException if it breaks off
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
