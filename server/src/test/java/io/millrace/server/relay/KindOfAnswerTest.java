package io.millrace.server.relay;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.codec.dialect.Dialect;
import io.millrace.server.RelayServer;
import io.millrace.server.config.Match;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.RelayConfig.AccessLog;
import io.millrace.server.config.Route;
import io.millrace.server.config.Upstream;
import io.millrace.server.test.RawClient;
import io.millrace.server.test.RelayHarness;
import io.millrace.server.test.ScriptedUpstream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Clients get the kind of answer that they asked for, one body or an event stream, independent of the upstream's kind.
 */
@Tag("sockets")
@Tag("h2")
class KindOfAnswerTest {
    private static final String SPEC = "tokens=5,stamp=1";
    private static final String SSE = "text/event-stream";
    private static final String JSON = "application/json";

    private static TranslationBed bed;

    @BeforeAll
    static void start() {
        bed = TranslationBed.start();
    }

    @AfterAll
    static void stop() {
        bed.close();
    }

    /** Every client with every upstream, one that speaks the same among them. */
    static Stream<Arguments> pairs() {
        return Stream.of(Api.values())
                .flatMap(client -> Stream.of(Api.values()).map(upstream -> Arguments.of(client, upstream)));
    }

    @ParameterizedTest
    @MethodSource("pairs")
    void makesOneBodyOfAStreamThatNobodyAskedFor(Api client, Api upstream) throws IOException {
        RawClient.Response response = ask(client, false, upstream, chunked(SSE, stream(upstream)));
        Reading heard = Reading.ofBody(client, response);
        assertThat(heard.text()).contains("@0@", "@4@");
        assertThat(heard.stop()).isEqualTo("end");
        assertThat(heard.tokens().output()).isEqualTo(5);
    }

    @ParameterizedTest
    @MethodSource("pairs")
    void makesAStreamOfOneBodyThatNobodyAskedFor(Api client, Api upstream) throws IOException {
        RawClient.Response response = ask(client, true, upstream, sized(JSON, whole(upstream)));
        Reading heard = Reading.ofStream(client, response);
        assertThat(heard.text()).contains("@0@", "@4@");
        assertThat(heard.stop()).isEqualTo("end");
        assertThat(heard.tokens().output()).isEqualTo(5);
    }

    @ParameterizedTest
    @EnumSource(Api.class)
    void passesOnAStreamThatComesUnderAnotherType(Api api) throws IOException {
        String sent = stream(api);
        for (String type : List.of("text/plain; charset=utf-8", JSON, "application/octet-stream")) {
            RawClient.Response response = ask(api, true, api, chunked(type, sent));
            assertThat(response.header("content-type")).startsWith(SSE);
            assertThat(response.text()).isEqualTo(sent);
            assertThat(response.end()).isEqualTo(RawClient.End.COMPLETE);
        }
        Api other = api == Api.CHAT ? Api.MESSAGES : Api.CHAT;
        RawClient.Response translated = ask(other, true, api, chunked("text/plain", sent));
        assertThat(Reading.ofStream(other, translated).text()).contains("@0@", "@4@");
    }

    @ParameterizedTest
    @EnumSource(Api.class)
    void asksAgainOrTellsWhenAStreamForOneBodyIsCut(Api api) throws IOException {
        String cut = stream(api).substring(0, stream(api).indexOf("@3@"));
        RawClient.Response response = ask(api, false, api, chunked(SSE, cut));
        assertThat(response.status()).isEqualTo(502);
        api.refusalOf(response.text());
    }

    @ParameterizedTest
    @ValueSource(strings = {"rate_limit_error", "invalid_request_error"})
    void tellsTheStatusOfAnErrorInAStreamForOneBody(String type) throws IOException {
        String error = "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"" + type
                + "\",\"message\":\"The words\"}}\n\n";
        String begun = stream(Api.MESSAGES);
        begun = begun.substring(0, begun.indexOf("event: message_delta"));
        RawClient.Response response = ask(Api.CHAT, false, Api.MESSAGES, chunked(SSE, begun + error));
        assertThat(response.status()).isEqualTo(type.startsWith("rate") ? 429 : 400);
        assertThat(Api.CHAT.refusalOf(response.text()).message()).contains("The words");
    }

    /** Some servers answer a request for a stream with an error in JSON, under 200. */
    @ParameterizedTest
    @MethodSource("pairs")
    void tellsAnErrorThatComesInPlaceOfAStream(Api client, Api upstream) throws IOException {
        String named = new String(
                upstream.dialect.errorBody(400, "invalid_request_error", "The words", null, null),
                StandardCharsets.UTF_8);
        for (String type : List.of(JSON, "text/plain")) {
            for (String body : List.of(
                    named,
                    "{\"error\":\"The words\"}",
                    "{\"error\":{\"message\":\"The words\",\"code\":429}}",
                    "{\"message\":\"The words\",\"code\":1234}",
                    "{\"detail\":\"The words\"}",
                    "[{\"error\":{\"code\":400,\"message\":\"The words\",\"status\":\"INVALID_ARGUMENT\"}}]")) {
                RawClient.Response response = ask(client, true, upstream, sized(type, body));
                assertThat(response.text()).as(type + " " + body).contains("The words");
                if (client == upstream) {
                    assertThat(response.text()).isEqualTo(body);
                } else {
                    assertThat(response.status()).as(type + " " + body).isBetween(400, 599);
                    assertThat(response.header("content-type")).startsWith(JSON);
                    assertThat(client.refusalOf(response.text()).message()).contains("The words");
                }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"Something broke", "<html></html>", "{}", "[]", "{\"hello\":\"world\"}"})
    void refusesToTranslateWhatIsNoAnswer(String body) throws IOException {
        for (Api client : Api.values()) {
            Api upstream = client == Api.CHAT ? Api.MESSAGES : Api.CHAT;
            RawClient.Response response = ask(client, true, upstream, sized("text/plain", body));
            assertThat(response.status()).isEqualTo(502);
            assertThat(client.refusalOf(response.text()).message()).contains("cannot be read");
        }
    }

    @Test
    void leavesAsItIsWhatIsNoAnswer() throws IOException {
        String body = "{\"hello\":\"world\"}";
        RawClient.Response response = ask(Api.CHAT, true, Api.CHAT, sized(JSON, body));
        assertThat(response.header("content-type")).isEqualTo(JSON);
        assertThat(response.text()).isEqualTo(body);
    }

    @ParameterizedTest
    @ValueSource(strings = {"text/plain", "application/octet-stream"})
    void leavesTextThatIsNoStreamAsItIs(String type) throws IOException {
        for (String body : new String[] {"", "d", "data", "dates: 7\n", "\n\n"}) {
            RawClient.Response response = ask(Api.CHAT, true, Api.CHAT, sized(type, body));
            assertThat(response.header("content-type")).isEqualTo(type);
            assertThat(response.text()).isEqualTo(body);
        }
    }

    @ParameterizedTest
    @EnumSource(Api.class)
    void passesOnTheBlankLinesThatKeepAClientOfOneBodyWaiting(Api api) throws IOException {
        var seen = new CountDownLatch(1);
        try (var server = ScriptedUpstream.start(connection -> {
                    connection.readRequest();
                    connection.send("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 4\r\n\r\n\n");
                    Awaitility.await().until(() -> seen.getCount() == 0);
                    connection.send("\n{}");
                });
                var relay = relay(server, api, api);
                var raw = new RawClient(relay.addresses().get(0).getPort())) {
            raw.send("POST", TranslationBed.path(api, false), TranslationBed.body(api, false));
            String head = raw.readHead();
            seen.countDown();
            assertThat(raw.readBody(head).text()).isEqualTo("\n\n{}");
        }
    }

    private static String stream(Api api) throws IOException {
        return bed.direct(api, true, SPEC).text();
    }

    private static String whole(Api api) throws IOException {
        return bed.direct(api, false, SPEC).text();
    }

    private static RawClient.Response ask(Api client, boolean stream, Api upstream, String answer) throws IOException {
        try (var server = ScriptedUpstream.answering(answer);
                var relay = relay(server, client, upstream);
                var raw = new RawClient(relay.addresses().get(0).getPort())) {
            raw.send("POST", TranslationBed.path(client, stream), TranslationBed.body(client, stream));
            return raw.readAll();
        }
    }

    private static RelayServer relay(ScriptedUpstream upstream, Api client, Api spoken) {
        List<Dialect> dialects = client == spoken ? List.of() : List.of(spoken.dialect);
        Upstream place = Upstream.of("u", upstream.uri()).with(u -> u.dialects = dialects);
        return RelayHarness.serve(RelayConfig.defaults()
                .with(c -> c.upstreams = Map.of("u", place))
                .with(c -> c.routes = List.of(Route.of("r", Match.ALL, "u").with(r -> r.retry = RelayHarness.QUICK)))
                .with(c -> c.accessLog = AccessLog.OFF));
    }

    private static String chunked(String type, String body) {
        StringBuilder answer = new StringBuilder(
                "HTTP/1.1 200 OK\r\nContent-Type: " + type + "\r\nTransfer-Encoding: chunked\r\n\r\n");
        for (int at = 0; at < body.length(); at += 300) {
            String piece = body.substring(at, Math.min(body.length(), at + 300));
            answer.append(Integer.toHexString(piece.length()))
                    .append("\r\n")
                    .append(piece)
                    .append("\r\n");
        }
        return answer.append("0\r\n\r\n").toString();
    }

    private static String sized(String type, String body) {
        return "HTTP/1.1 200 OK\r\nContent-Type: " + type + "\r\nContent-Length: " + body.length() + "\r\n\r\n" + body;
    }
}
