package io.millrace.server.chat;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads a complete {@code multipart/form-data} body (RFC 7578) in UTF-8. Netty's decoder is for bodies that come in
 * pieces, and leaks buffers of incomplete parts.
 */
final class Multipart {
    private static final int MAX_PARTS = 64;
    private static final Pattern BOUNDARY =
            Pattern.compile(";\\s*boundary=(?:\"([^\"]{1,70})\"|([^;\\s\"]{1,70}))", Pattern.CASE_INSENSITIVE);
    private static final Pattern DISPOSITION =
            Pattern.compile("(?:^|\r\n)content-disposition:\\s*form-data([^\r\n]*)", Pattern.CASE_INSENSITIVE);
    private static final Pattern PARAMETER = Pattern.compile(";\\s*([A-Za-z]+\\*?)=(?:\"([^\"]*)\"|([^;\\s\"]*))");

    private Multipart() {}

    /**
     * One field of a form.
     *
     * @param file whether it is the content of a file
     */
    record Part(String name, String value, boolean file) {}

    /**
     * The parts in their order.
     *
     * @param contentType the request's content type, which has the boundary
     * @throws IllegalArgumentException if the body does not match its type, or has more parts than {@code /chat} has
     *     fields
     */
    static List<Part> parts(String contentType, byte[] body) {
        Matcher boundary = BOUNDARY.matcher(contentType);
        if (!boundary.find()) {
            throw new IllegalArgumentException("boundary: none");
        }
        // delimiter = CRLF "--" boundary (RFC 2046 5.1.1); the first may be at the very beginning.
        String delimiter = "\r\n--" + (boundary.group(1) == null ? boundary.group(2) : boundary.group(1));
        String text = "\r\n" + new String(body, ISO_8859_1);
        var parts = new ArrayList<Part>();
        int at = text.indexOf(delimiter) + delimiter.length();
        while (at >= delimiter.length() && parts.size() < MAX_PARTS) {
            if (text.startsWith("--", at)) {
                return parts;
            }
            int head = text.indexOf("\r\n", at);
            int headEnd = text.indexOf("\r\n\r\n", at);
            int end = headEnd < 0 ? -1 : text.indexOf(delimiter, headEnd + 4);
            if (end < 0 || !text.substring(at, head).isBlank()) {
                break;
            }
            parts.add(part(text.substring(head, headEnd), text.substring(headEnd + 4, end)));
            at = end + delimiter.length();
        }
        throw new IllegalArgumentException("parts: " + parts.size() + ", and no end");
    }

    private static Part part(String head, String value) {
        Matcher disposition = DISPOSITION.matcher(head);
        if (!disposition.find()) {
            throw new IllegalArgumentException("content-disposition: none");
        }
        String name = null;
        boolean file = false;
        Matcher parameter = PARAMETER.matcher(disposition.group(1));
        while (parameter.find()) {
            String given = parameter.group(2) == null ? parameter.group(3) : parameter.group(2);
            name = parameter.group(1).equalsIgnoreCase("name") ? utf8(given) : name;
            file |= parameter.group(1).toLowerCase(Locale.ROOT).startsWith("filename");
        }
        if (name == null) {
            throw new IllegalArgumentException("name: none");
        }
        return new Part(name, utf8(value), file);
    }

    private static String utf8(String latin1) {
        return new String(latin1.getBytes(ISO_8859_1), UTF_8);
    }
}
