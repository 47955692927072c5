package io.millrace.it.edge;

import io.millrace.server.test.Pieces;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** Bytes of HTTP/1 that different servers were seen to read in different ways. Each is followed by another message. */
final class AmbiguousHttp {
    private static final String NEXT = "GET /next HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

    /** The description and the bytes. */
    record Case(String name, String bytes) {
        @Override
        public String toString() {
            return Pieces.printable(name.getBytes(StandardCharsets.ISO_8859_1));
        }
    }

    private AmbiguousHttp() {}

    static List<Case> requests() {
        var cases = new ArrayList<Case>();
        addLines(cases);
        addFields(cases);
        addLengths(cases);
        addChunks(cases);
        return cases;
    }

    private static void addLines(List<Case> to) {
        for (String version :
                List.of("HTTP/1.0", "HTTP/1.2", "HTTP/2.0", "HTTP/9.9", "http/1.1", "HTTP/01.1", "HTTP/1.1 ")) {
            to.add(line("version " + version, "GET /a " + version));
        }
        for (String target : List.of(
                "http://a/p",
                "https://a/p",
                "*",
                "/a#b",
                "/a%00b",
                "/a\\b",
                "//a",
                "/a/../b",
                "/a/./b",
                "/a/%2e%2e/b",
                "/a%2fb",
                "/a/..%2fb",
                "/a;x/../b",
                "/\u00ff",
                "/a?b=/../c",
                "a",
                "/%zz",
                "/a|b{c}")) {
            to.add(line("target " + target, "GET " + target + " HTTP/1.1"));
        }
        to.add(line("two spaces", "GET  /a HTTP/1.1"));
        to.add(line("a tab", "GET\t/a HTTP/1.1"));
        to.add(line("a space in the target", "GET /a b HTTP/1.1"));
        to.add(line("a space first", " GET /a HTTP/1.1"));
        to.add(line("one empty line first", "\r\nGET /a HTTP/1.1"));
        to.add(line("four empty lines first", "\r\n\r\n\r\n\r\nGET /a HTTP/1.1"));
        to.add(line("a bare LF first", "\nGET /a HTTP/1.1"));
        to.add(line("a lower-case method", "get /a HTTP/1.1"));
        to.add(line("CONNECT", "CONNECT a:80 HTTP/1.1"));
        to.add(new Case("no version", "GET /a\r\n" + NEXT));
        to.add(new Case("LF at line ends", "GET /a HTTP/1.1\nHost: a\n\n" + NEXT));
    }

    private static void addFields(List<Case> to) {
        for (String fields : List.of(
                "",
                "Host: a\r\nHost: a\r\n",
                "Host: a\r\nHost: b\r\n",
                "Host: a b\r\n",
                "Host: x@a\r\n",
                "Host:\r\n",
                "Host: a\r\nX : y\r\n",
                "Host: a\r\nX\r\n",
                "Host: a\r\n: y\r\n",
                "Host: a\r\nX: y\r\n z\r\n",
                "Host: a\r\n X: y\r\n",
                "Host: a\r\nX: a\u0000b\r\n",
                "Host: a\r\nX: a\rb\r\n",
                "Host: a\r\nX: a\nb\r\n",
                "Host: a\r\nX: a\u007f\r\n",
                "Host: a\r\nX_y: z\r\n",
                "Host: a\r\nX y: z\r\n",
                "Host: a\r\nX\u00e9: z\r\n")) {
            to.add(new Case("fields " + fields, "GET /a HTTP/1.1\r\n" + fields + "\r\n" + NEXT));
        }
    }

    private static void addLengths(List<Case> to) {
        for (String length : List.of(
                "5",
                "005",
                "+5",
                "-1",
                "5,5",
                "5, 6",
                "0x5",
                "5x",
                "",
                "5 5",
                "99999999999999999999",
                "5\r\nContent-Length: 5",
                "0\r\nContent-Length: 5",
                "5\r\nContent-Length: 0",
                "5\t",
                "\u000b5")) {
            String name = "length " + length;
            to.add(new Case(name, body("HTTP/1.1", "Content-Length: " + length) + "hello" + NEXT));
            to.add(new Case(
                    name + " in HTTP/1.0",
                    body("HTTP/1.0", "Connection: keep-alive\r\nContent-Length: " + length) + "hello" + NEXT));
        }
        to.add(new Case("no length", body("HTTP/1.1", "X: y") + NEXT));
        to.add(new Case("GET with a body", "GET /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello" + NEXT));
        to.add(new Case("a request in the body", body("HTTP/1.1", "Content-Length: " + NEXT.length()) + NEXT + NEXT));
    }

    private static void addChunks(List<Case> to) {
        String whole = "5\r\nhello\r\n0\r\n\r\n";
        for (String coding : List.of(
                "chunked",
                "Chunked",
                "xchunked",
                "chunked, chunked",
                "gzip, chunked",
                "identity, chunked",
                "chunked, identity",
                "identity",
                "\u000bchunked",
                "chunked\u000b",
                "\tchunked",
                "chunked;q=1",
                "chunked\r\nTransfer-Encoding: chunked",
                "chunked\r\nContent-Length: 5",
                "chunked\r\nContent-Length: 0",
                "chunked\r\nTransfer-Encoding: x",
                "\"chunked\"")) {
            String name = "coding " + coding;
            to.add(new Case(name, body("HTTP/1.1", "Transfer-Encoding: " + coding) + whole + NEXT));
            to.add(new Case(
                    name + " in HTTP/1.0",
                    body("HTTP/1.0", "Connection: keep-alive\r\nTransfer-Encoding: " + coding) + whole + NEXT));
        }
        to.add(new Case(
                "coding with a blank before the colon",
                body("HTTP/1.1", "Transfer-Encoding : chunked") + whole + NEXT));
        to.add(new Case(
                "length before chunked",
                body("HTTP/1.1", "Content-Length: 4\r\nTransfer-Encoding: chunked") + whole + NEXT));
        for (String chunks : List.of(
                "5 \r\nhello\r\n0\r\n\r\n",
                "5\t\r\nhello\r\n0\r\n\r\n",
                " 5\r\nhello\r\n0\r\n\r\n",
                "5 5\r\nhello\r\n0\r\n\r\n",
                "0x5\r\nhello\r\n0\r\n\r\n",
                "+5\r\nhello\r\n0\r\n\r\n",
                "00000005\r\nhello\r\n0\r\n\r\n",
                "00000000000000000005\r\nhello\r\n0\r\n\r\n",
                "5;a=b\r\nhello\r\n0\r\n\r\n",
                "5 ; a=b\r\nhello\r\n0\r\n\r\n",
                "5;a=\"x;y\"\r\nhello\r\n0\r\n\r\n",
                "5;a=\"x\r\ny\"\r\nhello\r\n0\r\n\r\n",
                "5;a\nb\r\nhello\r\n0\r\n\r\n",
                "5;a\rb\r\nhello\r\n0\r\n\r\n",
                "5\nhello\n0\n\n",
                "5\r\nhello\n0\r\n\r\n",
                "5\r\nhello!\r\n0\r\n\r\n",
                "5\r\nhello0\r\n\r\n",
                "\r\n5\r\nhello\r\n0\r\n\r\n",
                "ffffffffffffffff\r\nhello\r\n0\r\n\r\n",
                "100000005\r\nhello\r\n0\r\n\r\n",
                "0\r\nX: y\r\n\r\n",
                "0\r\nX\r\n\r\n",
                "0\r\n X: y\r\n\r\n",
                "0\r\nContent-Length: 9\r\n\r\n",
                "0\r\nX: y\n\r\n",
                "0\r\nX: \u0000\r\n\r\n",
                "0;a=\"x\r\ny\"\r\n\r\n",
                "0\r\n\n",
                "0\n\r\n",
                "-0\r\n\r\n")) {
            String name = "chunks " + chunks;
            to.add(new Case(name, body("HTTP/1.1", "Transfer-Encoding: chunked") + chunks + NEXT));
        }
    }

    static List<Case> responses() {
        String whole = "5\r\nhello\r\n0\r\n\r\n";
        var cases = new ArrayList<Case>();
        for (String fields : List.of(
                "Content-Length: 5",
                "Content-Length: 9",
                "Content-Length: 3",
                "Content-Length: 5\r\nContent-Length: 5",
                "Content-Length: 3\r\nContent-Length: 5",
                "Content-Length: 5, 5",
                "Content-Length: +5",
                "Content-Length: 0x5",
                "X : y\r\nContent-Length: 5",
                "X: y\r\n z\r\nContent-Length: 5",
                "X: \u0000\r\nContent-Length: 5",
                "X: y")) {
            cases.add(response("HTTP/1.1 200 OK", fields, "hello"));
            cases.add(response("HTTP/1.0 200 OK", fields, "hello"));
        }
        for (String fields : List.of(
                "Transfer-Encoding: chunked",
                "Transfer-Encoding: xchunked",
                "Transfer-Encoding: gzip, chunked",
                "Transfer-Encoding: chunked, chunked",
                "Transfer-Encoding: identity",
                "Transfer-Encoding: chunked\r\nContent-Length: 3",
                "Content-Length: 3\r\nTransfer-Encoding: chunked")) {
            cases.add(response("HTTP/1.1 200 OK", fields, whole));
            cases.add(response("HTTP/1.0 200 OK", fields, whole));
        }
        for (String chunks : List.of(
                "5 \r\nhello\r\n0\r\n\r\n",
                "5;a=b\r\nhello\r\n0\r\n\r\n",
                "5 5\r\nhello\r\n0\r\n\r\n",
                "5\r\nhello",
                "5\r\nhel",
                "5\r\nhello\r\n",
                "5\r\nhello\r\n0\r\n",
                "5\r\nhello\r\n0\r\nX: y\r\n\r\n",
                "5\nhello\n0\n\n",
                "zz\r\nhello\r\n0\r\n\r\n")) {
            cases.add(response("HTTP/1.1 200 OK", "Transfer-Encoding: chunked", chunks));
        }
        for (String status : List.of(
                "HTTP/1.1 204 No",
                "HTTP/1.1 304 Not",
                "HTTP/1.1 99999 X",
                "HTTP/1.1 099 X",
                "HTTP/1.1 101 X",
                "http/1.1 200 OK",
                "HTTP/2.0 200 OK",
                "HTTP/1.1 200")) {
            cases.add(response(status, "Content-Length: 5", "hello"));
        }
        cases.add(new Case(
                "two answers",
                "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno"));
        cases.add(new Case("LF at line ends", "HTTP/1.1 200 OK\nContent-Length: 2\n\nok"));
        return cases;
    }

    private static Case response(String status, String fields, String body) {
        String name = status + "|" + fields + "|" + body;
        return new Case(name, status + "\r\n" + fields + "\r\n\r\n" + body);
    }

    private static Case line(String name, String line) {
        return new Case(name, line + "\r\nHost: a\r\n\r\n" + NEXT);
    }

    private static String body(String version, String fields) {
        return "POST /a " + version + "\r\nHost: a\r\n" + fields + "\r\n\r\n";
    }
}
