package io.millrace.server.http;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.util.AsciiString;
import java.nio.charset.StandardCharsets;
import java.util.Iterator;
import java.util.Map;

/**
 * Writes message heads (RFC 9112 sections 2 to 5) directly into a buffer. The body may follow in the same buffer, so
 * that both leave in one system call. It adds nothing and checks nothing: names and values must have been decoded from
 * HTTP or have passed Netty's header validation.
 */
public final class HeadWriter {
    private static final AsciiString VERSION = AsciiString.cached("HTTP/1.1");
    private static final int SHORT_CRLF = '\r' << 8 | '\n';
    private static final int SHORT_COLON = ':' << 8 | ' ';

    private HeadWriter() {}

    /** Writes request line, fields and the empty line behind them, as HTTP/1.1. */
    public static void write(HttpRequest request, ByteBuf out) {
        write(request.method().asciiName(), out);
        out.writeByte(' ');
        write(request.uri(), out);
        out.writeByte(' ');
        write(VERSION, out);
        out.writeShort(SHORT_CRLF);
        write(request.headers(), out);
    }

    /** Writes status line, fields and the empty line behind them, as HTTP/1.1. */
    public static void write(HttpResponse response, ByteBuf out) {
        write(VERSION, out);
        out.writeByte(' ');
        write(response.status().codeAsText(), out);
        out.writeByte(' ');
        write(response.status().reasonPhrase(), out);
        out.writeShort(SHORT_CRLF);
        write(response.headers(), out);
    }

    private static void write(HttpHeaders headers, ByteBuf out) {
        Iterator<Map.Entry<CharSequence, CharSequence>> fields = headers.iteratorCharSequence();
        while (fields.hasNext()) {
            var field = fields.next();
            write(field.getKey(), out);
            out.writeShort(SHORT_COLON);
            write(field.getValue(), out);
            out.writeShort(SHORT_CRLF);
        }
        out.writeShort(SHORT_CRLF);
    }

    private static void write(CharSequence text, ByteBuf out) {
        if (text instanceof AsciiString ascii) {
            ByteBufUtil.copy(ascii, out);
        } else {
            out.writeCharSequence(text, StandardCharsets.ISO_8859_1);
        }
    }
}
