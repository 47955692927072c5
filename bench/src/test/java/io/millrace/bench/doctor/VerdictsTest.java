package io.millrace.bench.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.pkitesting.CertificateBuilder;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import picocli.CommandLine;

/** What the doctor says of servers that are no mock: each set-up with its words, and nothing that was not seen. */
@Tag("sockets")
class VerdictsTest {
    private static final String SSE = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n";
    private static final String BAD =
            "HTTP/1.1 400 Bad Request\r\nContent-Length: 33\r\n\r\n{\"error\":{\"message\":\"no JSON!!\"}}";

    private record Run(int code, String out, String err) {}

    private static Arguments row(String name, int code, List<String> words, List<String> never, String... pieces) {
        return Arguments.of(name, code, words, never, List.of(pieces));
    }

    private static String page(String status, String title) {
        return "HTTP/1.1 " + status + "\r\nContent-Type: text/html\r\nServer: nginx\r\nConnection: close\r\n\r\n"
                + "<html>\n<head><title>" + title + "</title></head>\n<body>\n<center><h1>" + title
                + "</h1></center>\n";
    }

    private static String json(String status, String message) {
        return "HTTP/1.1 " + status + "\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n"
                + "{\"error\":{\"message\":\"" + message + "\"}}";
    }

    static Stream<Arguments> refusals() {
        var nginx = List.of("nginx:", "mock behind");
        return Stream.of(
                row(
                        "an https port asked over http",
                        1,
                        List.of("the port speaks TLS", "use https:// in BASE"),
                        List.of("<html>", "check the path"),
                        page("400 Bad Request", "400 The plain HTTP request was sent to HTTPS port")),
                row(
                        "an https port that answers with an alert",
                        1,
                        List.of("the port speaks TLS", "use https:// in BASE"),
                        List.of("Exception"),
                        "\u0015\u0003\u0003\u0000\u0002\u0002("),
                row(
                        "a page",
                        1,
                        List.of(
                                "a web page answers at this path",
                                "a page with the title \"Hello\"",
                                "1 thing is wrong."),
                        nginx,
                        page("200 OK", "Hello")),
                row(
                        "nginx without its server",
                        1,
                        List.of("server behind it is down", "status 502: a page with the title \"502 Bad Gateway\""),
                        List.of("<html>", "--api-key-env", "--dialect"),
                        page("502 Bad Gateway", "502 Bad Gateway")),
                row(
                        "no key",
                        1,
                        List.of("the key is missing or not accepted", "status 401: wrong key", "--api-key-env"),
                        List.of("--dialect"),
                        json("401 Unauthorized", "wrong key")),
                row(
                        "another path",
                        1,
                        List.of("no API at this path", "status 404: not found", "--dialect"),
                        List.of("--api-key-env"),
                        json("404 Not Found", "not found")),
                row(
                        "a limit",
                        1,
                        List.of("a limit of requests is reached", "status 429: slow down"),
                        List.of("--api-key-env"),
                        json("429 Too Many Requests", "slow down")),
                row(
                        "a redirect",
                        1,
                        List.of("the path redirects", "status 308 to https://other/v1"),
                        List.of("--api-key-env"),
                        "HTTP/1.1 308 Permanent Redirect\r\nLocation: https://other/v1\r\nContent-Length: 0\r\n\r\n"),
                row(
                        "NDJSON",
                        1,
                        List.of("no event stream", "Content-Type: application/x-ndjson"),
                        List.of("a silent stream"),
                        "HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nConnection: close\r\n\r\n{}\n{}\n"));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("refusals")
    void tellsRefusalsApart(String name, int code, List<String> words, List<String> never, List<String> pieces)
            throws Exception {
        try (var server = ScriptedServer.of(0, body -> pieces)) {
            var run = run("http://127.0.0.1:" + server.port() + "/v1");

            assertThat(run.code).as(run.out).isEqualTo(code);
            assertThat(run.out).contains(words).doesNotContain(never);
        }
    }

    private static List<String> stream(int tokens, boolean done, String fields) {
        var pieces = new ArrayList<String>();
        pieces.add(SSE + fields + "\r\n");
        for (int i = 0; i < tokens; i++) {
            pieces.add("data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"choices\":[{\"index\":0,\"delta\":"
                    + "{\"content\":\"one \"},\"finish_reason\":null}]}\n\n");
        }
        if (done) {
            pieces.add("data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"choices\":[{\"index\":0,\"delta\":"
                    + "{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n");
        }
        return pieces;
    }

    private static Run stream(long gapMs, List<String> pieces, String... arguments) throws Exception {
        try (var server = ScriptedServer.of(gapMs, body -> body.contains("messages") ? pieces : List.of(BAD))) {
            var all = new ArrayList<>(List.of("http://127.0.0.1:" + server.port() + "/v1"));
            all.addAll(List.of(arguments));
            return run(all.toArray(String[]::new));
        }
    }

    /** With default options: no mock, so no silence is tried, and what is only missing is a note. */
    @Test
    void judgesAnOrdinaryServerByWhatItShows() throws Exception {
        var run = stream(8, stream(40, true, ""));

        assertThat(run.code).as(run.out).isZero();
        assertThat(run.out)
                .contains("proxies seen: none identified themselves", "answered by:  no Millrace mock", "40 tokens")
                .contains("NOTE   Cache-Control does not", "NOTE   X-Accel-Buffering", "Clean.")
                .doesNotContain("WRONG", "silent", "nginx:", "HAProxy");
        assertThat(run.err).contains("waiting for a stream").doesNotContain("silence");
    }

    @Test
    void findsACacheThatMayKeepTheStream() throws Exception {
        var run = stream(8, stream(40, true, "Cache-Control: public, max-age=60\r\n"));

        assertThat(run.code).isOne();
        assertThat(run.out).contains("WRONG  Cache-Control lets caches keep the stream");
    }

    @Test
    void saysThatABurstCannotTell() throws Exception {
        var all = String.join("", stream(193, true, "Cache-Control: no-cache\r\n"));
        var run = stream(0, List.of(all), "--model", "gpt-x");

        assertThat(run.code).as(run.out).isZero();
        assertThat(run.out)
                .contains("answered by:  a model", "NOTE   the pacing cannot be judged", "could not be judged.")
                .doesNotContain("Clean.");
    }

    @Test
    void findsAStreamWithoutItsLastEvent() throws Exception {
        var run = stream(8, stream(40, false, "Cache-Control: no-cache\r\n"));

        assertThat(run.code).isOne();
        assertThat(run.out).contains("the stream ends without its dialect's last event");
    }

    @Test
    void trustsAFileOfCertificates(@TempDir Path directory) throws Exception {
        var certificate = new CertificateBuilder()
                .subject("CN=localhost")
                .addSanDnsName("localhost")
                .setIsCertificateAuthority(true)
                .buildSelfSigned();
        var ca = Files.writeString(directory.resolve("ca.pem"), certificate.getCertificatePEM());
        var keys = certificate.toKeyManagerFactory();
        var context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), null, null);
        var socket = context.getServerSocketFactory().createServerSocket(0, 50, InetAddress.getLoopbackAddress());
        try (var server = new ScriptedServer(socket, 0, body -> List.of(json("401 Unauthorized", "wrong key")))) {
            String url = "https://localhost:" + server.port() + "/v1";

            assertThat(run(url).out)
                    .contains("certificate is not trusted", "not signed by an authority", "--ca FILE")
                    .doesNotContain("PKIX");
            assertThat(run(url, "--ca", ca.toString()).out).contains("status 401: wrong key");
            assertThat(run("http://localhost:" + server.port() + "/v1").out).contains("the port speaks TLS");
        }
    }

    /** A certificate of the right authority that is wrong otherwise is no case for {@code --ca}. */
    @ParameterizedTest
    @CsvSource({"localhost, -1, has expired", "localhost, 3, is not valid yet", "other.example, 1, is for other hosts"})
    void saysWhatIsWrongWithACertificate(String host, int endDays, String words, @TempDir Path directory)
            throws Exception {
        var now = Instant.now();
        var authority = new CertificateBuilder()
                .subject("CN=Authority")
                .setIsCertificateAuthority(true)
                .buildSelfSigned();
        var certificate = new CertificateBuilder()
                .subject("CN=" + host)
                .addSanDnsName(host)
                .notBefore(now.plus(endDays - 2, ChronoUnit.DAYS))
                .notAfter(now.plus(endDays, ChronoUnit.DAYS))
                .buildIssuedBy(authority);
        var ca = Files.writeString(directory.resolve("ca.pem"), authority.getCertificatePEM());
        var context = SSLContext.getInstance("TLS");
        context.init(certificate.toKeyManagerFactory().getKeyManagers(), null, null);
        var socket = context.getServerSocketFactory().createServerSocket(0, 50, InetAddress.getLoopbackAddress());
        try (var server = new ScriptedServer(socket, 0, body -> List.of(BAD))) {
            var run = run("https://localhost:" + server.port() + "/v1", "--ca", ca.toString());

            assertThat(run.code).isEqualTo(1);
            assertThat(run.out).contains("the server's certificate " + words).doesNotContain("--ca FILE", "PKIX");
        }
    }

    @Test
    void findsAPortWithoutTls() throws Exception {
        try (var server = ScriptedServer.of(0, body -> List.of(BAD))) {
            assertThat(run("https://localhost:" + server.port() + "/v1").out)
                    .contains("the port does not speak TLS", "use http:// in BASE");
        }
    }

    @Test
    void tellsBrokenConnectionsApart() {
        assertThat(Refusal.of(new UnknownHostException("nohost.invalid"))).isEqualTo(Ailment.NO_SUCH_NAME);
        assertThat(Refusal.words(new UnknownHostException("nohost.invalid: Name or service not known")))
                .isEqualTo("the name nohost.invalid does not resolve");
        assertThat(Refusal.words(new ConnectException("Connection refused"))).isEqualTo("the connection was refused");
        assertThat(Refusal.words(new SocketTimeoutException("Read timed out"))).isEqualTo("nothing came in time");
    }

    private static Run run(String... arguments) {
        var out = new StringWriter();
        var err = new StringWriter();
        int code = new CommandLine(new DoctorCommand())
                .setOut(new PrintWriter(out))
                .setErr(new PrintWriter(err))
                .execute(arguments);
        return new Run(code, out.toString(), err.toString());
    }
}
