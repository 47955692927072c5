package io.millrace.server.relay;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.server.RelayServer;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.RelayConfig.AccessLog;
import io.millrace.server.test.RawClient;
import io.millrace.server.test.RelayHarness;
import io.millrace.server.test.ScriptedUpstream;
import io.millrace.server.test.ScriptedUpstream.Script;
import java.io.IOException;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Unusual but legal messages pass unchanged in both directions. */
@Tag("sockets")
@Tag("h2")
class PassThroughTest {
    private static volatile Script script;
    private static ScriptedUpstream upstream;
    private static RelayServer relay;

    @BeforeAll
    static void start() throws IOException {
        upstream = ScriptedUpstream.start(connection -> script.serve(connection));
        relay = RelayHarness.serve(RelayConfig.relayTo(upstream.uri()).with(c -> c.accessLog = AccessLog.OFF));
    }

    @AfterAll
    static void stop() throws IOException {
        relay.close();
        upstream.close();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "200 ",
                "207 Multi-Status",
                "226 IM Used",
                "299 Odd",
                "300 Multiple Choices",
                "307 Temporary Redirect",
                "402 Payment Required",
                "418 I'm a teapot",
                "499 Client Closed Request",
                "520 Unknown Error",
                "599 X",
                "200 \u00dcber"
            })
    void everyStatus(String line) throws IOException {
        answer("HTTP/1.1 " + line + "\r\nLocation: /x\r\nContent-Length: 2\r\n\r\n{}");
        RawClient.Response response = get("/v1/x");
        assertThat(response.status()).isEqualTo(Integer.parseInt(line.substring(0, 3)));
        assertThat(response.header("location")).isEqualTo("/x");
        assertThat(response.text()).isEqualTo("{}");
    }

    @Tag("h1") // in HTTP/2 cookies that come apart are one field (Http2HeadsTest)
    @Test
    void repeatedFieldsApartAndInOrder() throws IOException {
        answer(
                "HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nX-A: 1\r\nSet-Cookie: b=2; Expires=Wed, 21 Oct 2026 07:28:00 GMT\r\n"
                        + "X-A: 2\r\nContent-Length: 2\r\n\r\n{}");
        RawClient.Response response = get("/v1/x", "Cookie: q=1", "X-B: 1", "Cookie: r=2", "X-B: 2");
        assertThat(fields(response.head(), "set-cookie", "x-a"))
                .containsExactly("a=1", "1", "b=2; Expires=Wed, 21 Oct 2026 07:28:00 GMT", "2");
        assertThat(fields(lastRequest(), "cookie", "x-b")).containsExactly("q=1", "1", "r=2", "2");
    }

    @ParameterizedTest
    @ValueSource(strings = {"application/json", "text/event-stream"})
    void bytesThatAreNotAscii(String type) throws IOException {
        String value = "S\u00c3\u00a3o \u00e2\u009d\u00a4 \u00e9\u00ff";
        answer("HTTP/1.1 200 OK\r\nContent-Type: " + type + "\r\nX-Region: " + value
                + "\r\nContent-Length: 10\r\n\r\ndata: {}\n\n");
        try (var client = client()) {
            client.sendRaw("GET /v1/x HTTP/1.1\r\nHost: a\r\nX-Region: " + value + "\r\n\r\n");
            assertThat(client.readAll().header("x-region")).isEqualTo(value);
        }
        assertThat(RawClient.header(lastRequest(), "x-region")).isEqualTo(value);
    }

    @Tag("h1") // the HTTP/2 client of the tests reads no head in several frames
    @Test
    void headsUpTo64KiB() throws IOException {
        answer("HTTP/1.1 200 OK\r\nX-Big: " + "a".repeat(60_000) + "\r\nContent-Length: 2\r\n\r\n{}");
        assertThat(get("/v1/x").header("x-big")).hasSize(60_000);
        answer("HTTP/1.1 200 OK\r\n" + ("X-Big: " + "a".repeat(1_000) + "\r\n").repeat(80)
                + "Content-Length: 2\r\n\r\n{}");
        assertThat(get("/v1/x").status()).isEqualTo(502);
    }

    @Test
    void binaryAnswers() throws IOException {
        String audio = random(1_000_000);
        answer("HTTP/1.1 200 OK\r\nContent-Type: audio/mpeg\r\nTransfer-Encoding: chunked\r\n\r\n"
                + chunks(audio, 8191));
        assertThat(new String(get("/v1/audio/speech").body(), ISO_8859_1)).isEqualTo(audio);

        answer(
                "HTTP/1.1 206 Partial Content\r\nContent-Type: application/octet-stream\r\nContent-Range: bytes 0-99/3000\r\n"
                        + "ETag: W/\"x\"\r\nContent-Disposition: attachment; filename*=UTF-8''a%20b\r\nContent-Length: 100\r\n\r\n"
                        + audio.substring(0, 100));
        RawClient.Response part = get("/v1/files/f/content", "Range: bytes=0-99");
        assertThat(part.status()).isEqualTo(206);
        assertThat(part.header("content-range")).isEqualTo("bytes 0-99/3000");
        assertThat(part.header("etag")).isEqualTo("W/\"x\"");
        assertThat(part.header("content-disposition")).isEqualTo("attachment; filename*=UTF-8''a%20b");
        assertThat(new String(part.body(), ISO_8859_1)).isEqualTo(audio.substring(0, 100));
        assertThat(RawClient.header(lastRequest(), "range")).isEqualTo("bytes=0-99");
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 16_384, 16_385, 70_000, 3_000_000})
    void uploads(int length) throws IOException {
        answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
        String body = random(length);
        for (String framing : List.of("Content-Length: " + length, "Transfer-Encoding: chunked")) {
            try (var client = client()) {
                client.sendRaw("POST /v1/files HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; boundary=x\r\n"
                        + framing + "\r\n\r\n" + (framing.endsWith("chunked") ? chunks(body, 30_001) : body));
                assertThat(client.readAll().status()).isEqualTo(200);
            }
            String sent = lastRequest();
            assertThat(sent.substring(sent.indexOf("\r\n\r\n") + 4).equals(body))
                    .isTrue();
        }
    }

    @Test
    void anAnswerThatBeginsBeforeTheUploadIsOver() throws IOException {
        script = connection -> {
            connection.send(
                    "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: text/event-stream\r\nContent-Length: 44\r\n\r\n");
            connection.send("event: start\ndata: {}\n\n");
            String request = connection.readRequest();
            assertThat(request).endsWith("x".repeat(1_000_000));
            connection.send("event: end\ndata: {}\n\n");
        };
        try (var client = client()) {
            client.sendRaw(
                    "POST /v1/audio/transcriptions HTTP/1.1\r\nHost: a\r\nContent-Type: audio/wav\r\nContent-Length: 1000000\r\n\r\n"
                            + "x".repeat(500_000));
            assertThat(client.readUntil("event: start\ndata: {}\n\n")).startsWith("HTTP/1.1 200 ");
            client.sendRaw("x".repeat(500_000));
            assertThat(client.readUntil("0\r\n\r\n")).contains("event: end\ndata: {}\n\n");
        }
    }

    @Test
    void linesOfJsonOneByOne() throws IOException {
        var read = List.of(new CountDownLatch(1), new CountDownLatch(1), new CountDownLatch(1));
        script = connection -> {
            connection.readRequest();
            connection.send(
                    "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n");
            for (int i = 0; i < read.size(); i++) {
                connection.send("8\r\n{\"n\":" + i + "}\n\r\n");
                await(read.get(i));
            }
            connection.send("0\r\n\r\n");
        };
        try (var client = client()) {
            client.send("POST", "/api/chat", "{}");
            for (int i = 0; i < read.size(); i++) {
                assertThat(client.readUntil("{\"n\":" + i + "}\n")).isNotEmpty();
                read.get(i).countDown();
            }
            assertThat(client.readUntil("0\r\n\r\n")).endsWith("0\r\n\r\n");
        }
    }

    /** Model Context Protocol over HTTP: sessions, notifications, streams that are resumed. */
    @Test
    void sessionsOfTools() throws IOException {
        String[] session = {"Accept: application/json, text/event-stream", "Mcp-Session-Id: s1", "Last-Event-ID: 1_0"};
        String events =
                ": hi\n\nid: 1_0\nretry: 500\ndata: \n\nevent: message\nid: 1_1\ndata: {\"jsonrpc\":\"2.0\"}\n\n";
        answer("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nMcp-Session-Id: s1\r\nContent-Length: "
                + events.length() + "\r\n\r\n" + events);
        RawClient.Response stream = ask("GET", "/mcp", session);
        assertThat(stream.text()).isEqualTo(events);
        assertThat(stream.header("mcp-session-id")).isEqualTo("s1");
        assertThat(fields(lastRequest(), "accept", "mcp-session-id", "last-event-id"))
                .containsExactly("application/json, text/event-stream", "s1", "1_0");

        answer("HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n");
        assertThat(ask("POST", "/mcp", session).status()).isEqualTo(202);
        answer("HTTP/1.1 405 Method Not Allowed\r\nAllow: POST\r\nContent-Length: 0\r\n\r\n");
        assertThat(ask("GET", "/mcp", session).header("allow")).isEqualTo("POST");
        answer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        assertThat(ask("DELETE", "/mcp", session).status()).isEqualTo(200);
        assertThat(lastRequest()).startsWith("DELETE /mcp ");
    }

    @Test
    void neverAPlainAnswerThatIsCut() throws IOException {
        script = connection -> {
            connection.readRequest();
            connection.send(
                    "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: 100000\r\n\r\n"
                            + "x".repeat(70_000));
        };
        assertThat(get("/v1/x").end()).isIn(RawClient.End.TRUNCATED, RawClient.End.RESET);
        script = connection -> {
            connection.readRequest();
            connection.send(
                    "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n11170\r\n"
                            + "x".repeat(70_000) + "\r\n");
        };
        assertThat(get("/v1/x").end()).isIn(RawClient.End.TRUNCATED, RawClient.End.RESET);
    }

    /** Says that it closes, so that no later request meets a connection that is gone. */
    private static void answer(String response) {
        String closing = response.replaceFirst("\r\n", "\r\nConnection: close\r\n");
        script = connection -> {
            connection.readRequest();
            connection.send(closing);
        };
    }

    private static RawClient.Response get(String path, String... headers) throws IOException {
        return ask("GET", path, headers);
    }

    private static RawClient.Response ask(String method, String path, String... headers) throws IOException {
        try (var client = client()) {
            client.sendRaw(method + " " + path + " HTTP/1.1\r\nHost: a\r\n"
                    + List.of(headers).stream().map(field -> field + "\r\n").collect(Collectors.joining())
                    + (method.equals("POST") ? "Content-Length: 0\r\n\r\n" : "\r\n"));
            return client.readAll();
        }
    }

    private static RawClient client() throws IOException {
        return new RawClient(relay.addresses().get(0).getPort());
    }

    private static String lastRequest() {
        List<String> requests = upstream.requests();
        return requests.get(requests.size() - 1);
    }

    /** The values of these fields, in the order of the head. */
    private static List<String> fields(String head, String... names) {
        return head.substring(0, (head + "\r\n\r\n").indexOf("\r\n\r\n"))
                .lines()
                .filter(line -> List.of(names).stream()
                        .anyMatch(name -> line.regionMatches(true, 0, name + ":", 0, name.length() + 1)))
                .map(line -> line.substring(line.indexOf(':') + 1).strip())
                .toList();
    }

    private static String chunks(String body, int size) {
        var chunks = new StringBuilder();
        for (int at = 0; at < body.length(); at += size) {
            String data = body.substring(at, Math.min(body.length(), at + size));
            chunks.append(Integer.toHexString(data.length()))
                    .append("\r\n")
                    .append(data)
                    .append("\r\n");
        }
        return chunks.append("0\r\n\r\n").toString();
    }

    private static String random(int length) {
        var bytes = new byte[length];
        new Random(length).nextBytes(bytes);
        return new String(bytes, ISO_8859_1);
    }

    private static void await(CountDownLatch latch) throws IOException {
        try {
            if (!latch.await(5, TimeUnit.SECONDS)) {
                throw new IOException("the line before was not passed on");
            }
        } catch (InterruptedException e) {
            throw new IOException(e);
        }
    }
}
