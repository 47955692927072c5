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
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Streams that fail in words that no SDK looks for, that have no answer, or whose answer cannot be translated. */
@Tag("sockets")
@Tag("h2")
class UnseenErrorsTest {
    private static final String HEAD =
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
    private static final String ROLE =
            "data: {\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\n\n";
    private static final String TEXT = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"}}]}\n\n";
    private static final String DONE = "data: [DONE]\n\n";

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "1 | data: {'object':'error','message':'The words','type':'BadRequestError','param':null,'code':400}",
                "3 | data: {'object':'error','message':'The words','type':'InternalServerError','code':500}",
                "3 | data: {'error_type':'server_error','error_message':'The words'}",
                "1 | data: {'choices':null,'error_type':'BadRequestError','error_message':'The words','error_code':400}",
                "3 | data: {'code':'429','message':'The words'}",
                "1 | data: {'code':'429','type':'insufficient_quota','message':'The words'}",
                "3 | data: {'choices':[{'index':0,'delta':{},'finish_reason':'error','error':{'code':502,'message':'The words'}}]}",
                "1 | event: error\\ndata: {'message':'The words'}",
                "1 | event: error\\ndata: The words"
            })
    void tellsAnErrorThatNoSdkLooksFor(int attempts, String data) throws IOException {
        String error = data.replace('\'', '"').replace("\\n", "\n") + "\n\n";
        assertTold(error, attempts, error);
        assertTold(TEXT + error, 1, TEXT + error);
    }

    /** The frames as they came, and behind them an error of ours with the words. */
    private static void assertTold(String sent, int attempts, String given) throws IOException {
        try (var upstream = answering(sent + DONE);
                var relay = relay(upstream, null);
                var client = client(relay)) {
            client.post(Api.CHAT.path, "m", "");
            RawClient.Response response = client.readAll();
            assertThat(response.text()).startsWith(given);
            Api.Failure failure = Api.CHAT.failureOf(response.text().substring(given.length()));
            assertThat(failure.code()).isEqualTo("upstream_error");
            assertThat(failure.message()).contains("The words");
            assertThat(upstream.requests()).hasSize(attempts);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "data: {'object':'error','message':'The words','type':'BadRequestError','param':null,'code':400}",
                "data: {'error_type':'server_error','error_message':'The words'}",
                "data: {'code':'429','message':'The words'}",
                "event: error\\ndata: {'message':'The words'}"
            })
    void translatesAnErrorThatNoSdkLooksFor(String data) throws IOException {
        String error = data.replace('\'', '"').replace("\\n", "\n") + "\n\n";
        try (var upstream = answering(TEXT + error + DONE);
                var relay = relay(upstream, Dialect.CHAT);
                var client = client(relay)) {
            client.send("POST", Api.MESSAGES.path, TranslationBed.body(Api.MESSAGES, true));
            RawClient.Response response = client.readAll();
            assertThat(response.text()).contains("event: error", "The words").doesNotContain("message_stop");
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void takesAnEndBeforeAnyAnswerForNone(boolean translated) throws IOException {
        String usage = "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":0}}\n\n";
        for (String sent : new String[] {DONE, usage + DONE, "data: [DONE]"}) {
            try (var upstream = answering(sent);
                    var relay = relay(upstream, translated ? Dialect.CHAT : null);
                    var client = client(relay)) {
                Api api = translated ? Api.MESSAGES : Api.CHAT;
                client.send("POST", api.path, TranslationBed.body(api, true));
                RawClient.Response response = client.readAll();
                assertThat(response.status()).isEqualTo(502);
                assertThat(api.refusalOf(response.text()).code()).isIn("upstream_truncated", null);
                assertThat(upstream.requests()).hasSize(3);
            }
        }
    }

    @Test
    void asksOnceForWhatCannotBeTranslated() throws IOException {
        for (String sent : new String[] {"data: {\"choices\":\n\n" + DONE, ROLE + "data: }{\n\n" + TEXT + DONE}) {
            try (var upstream = answering(sent);
                    var relay = relay(upstream, Dialect.CHAT);
                    var client = client(relay)) {
                client.send("POST", Api.MESSAGES.path, TranslationBed.body(Api.MESSAGES, true));
                RawClient.Response response = client.readAll();
                assertThat(response.text())
                        .contains("event: error", "cannot be read")
                        .doesNotContain("message_stop");
                assertThat(upstream.requests()).hasSize(1);
            }
        }
    }

    private static ScriptedUpstream answering(String body) throws IOException {
        String chunk = Integer.toHexString(body.length()) + "\r\n" + body + "\r\n";
        return ScriptedUpstream.answering(HEAD + chunk + "0\r\n\r\n");
    }

    private static RelayServer relay(ScriptedUpstream upstream, Dialect dialect) {
        List<Dialect> dialects = dialect == null ? List.of() : List.of(dialect);
        Upstream place = Upstream.of("u", upstream.uri()).with(u -> u.dialects = dialects);
        return RelayHarness.serve(RelayConfig.defaults()
                .with(c -> c.upstreams = Map.of("u", place))
                .with(c -> c.routes = List.of(Route.of("r", Match.ALL, "u").with(r -> r.retry = RelayHarness.QUICK)))
                .with(c -> c.accessLog = AccessLog.OFF));
    }

    private static RawClient client(RelayServer relay) throws IOException {
        return new RawClient(relay.addresses().get(0).getPort());
    }
}
