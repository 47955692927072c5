package io.millrace.server.console;

import java.util.zip.CRC32;

/**
 * One file of the page.
 *
 * @param type its media type
 * @param body its bytes; must not be changed
 * @param etag its entity tag, with the quotes (RFC 9110 section 8.8.3)
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record Asset(String type, byte[] body, String etag) {
    static Asset of(String name, byte[] body) {
        var crc = new CRC32();
        crc.update(body);
        return new Asset(typeOf(name), body, "\"%08x-%x\"".formatted(crc.getValue(), body.length));
    }

    private static String typeOf(String name) {
        return switch (name.substring(name.lastIndexOf('.') + 1)) {
            case "html" -> "text/html; charset=utf-8";
            case "css" -> "text/css; charset=utf-8";
            case "js" -> "text/javascript; charset=utf-8";
            case "svg" -> "image/svg+xml";
            default -> throw new IllegalArgumentException("asset: " + name + " (expected: html, css, js or svg)");
        };
    }
}
