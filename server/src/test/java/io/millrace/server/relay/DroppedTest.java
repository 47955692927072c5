package io.millrace.server.relay;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.codec.dialect.Dialect;
import io.millrace.server.RelayServer;
import io.millrace.server.config.Match;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.RelayConfig.AccessLog;
import io.millrace.server.config.Route;
import io.millrace.server.config.Route.Retry;
import io.millrace.server.config.Route.TranslationMode;
import io.millrace.server.config.Upstream;
import io.millrace.server.mock.MockConfig;
import io.millrace.server.mock.MockServer;
import io.millrace.server.mock.MockSpec;
import io.millrace.server.test.AccessLines;
import io.millrace.server.test.RawClient;
import io.millrace.server.test.RelayHarness;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Fields that are left out of a translated request are reported in the answer and in the log, or refused. */
@Tag("sockets")
class DroppedTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    private MockServer upstream;

    @BeforeEach
    void start() {
        upstream = MockServer.start(MockConfig.defaults());
    }

    @AfterEach
    void stop() {
        upstream.close();
    }

    static Stream<Arguments> clients() {
        return Stream.of(Api.values()).flatMap(api -> Stream.of(Arguments.of(api, true), Arguments.of(api, false)));
    }

    @ParameterizedTest
    @MethodSource("clients")
    void tellsClientAndLog(Api client, boolean stream) throws IOException {
        try (var lines = new AccessLines();
                var relay = relay(client, TranslationMode.LENIENT)) {
            RawClient.Response response = ask(relay, client, stream);

            assertThat(response.status()).isEqualTo(200);
            assertThat(response.header("x-millrace-dropped")).isEqualTo("some_new_hint");
            assertThat(lines.next().get("dropped").asText()).isEqualTo("some_new_hint");
        }
    }

    @Test
    void tellsItWithAnErrorToo() throws IOException {
        upstream.setSpec(MockSpec.parse("status=400"));
        try (var relay = relay(Api.MESSAGES, TranslationMode.LENIENT)) {
            RawClient.Response response = ask(relay, Api.MESSAGES, true);

            assertThat(response.status()).isEqualTo(400);
            assertThat(response.header("x-millrace-dropped")).isEqualTo("some_new_hint");
        }
    }

    @Test
    void tellsNothingWhereNothingIsLeftOut() throws IOException {
        try (var lines = new AccessLines();
                var relay = relay(Api.MESSAGES, TranslationMode.LENIENT);
                var client = client(relay)) {
            client.send("POST", Api.MESSAGES.path, TranslationBed.body(Api.MESSAGES, true));

            assertThat(client.readAll().header("x-millrace-dropped")).isNull();
            assertThat(lines.next().has("dropped")).isFalse();
        }
    }

    @ParameterizedTest
    @MethodSource("clients")
    void refusesItWhereTheRouteIsStrict(Api client, boolean stream) throws IOException {
        try (var relay = relay(client, TranslationMode.STRICT)) {
            RawClient.Response response = ask(relay, client, stream);

            assertThat(response.status()).isEqualTo(400);
            assertThat(response.text()).contains("some_new_hint");
            assertThat(upstream.requests()).isEmpty();
        }
    }

    private RelayServer relay(Api client, TranslationMode mode) {
        Dialect spoken = client == Api.CHAT ? Dialect.MESSAGES : Dialect.CHAT;
        var route =
                Route.of("all", Match.ALL, "a").with(r -> r.retry = Retry.OFF).with(r -> r.translation = mode);
        return RelayHarness.serve(RelayConfig.defaults()
                .with(c -> c.upstreams =
                        Map.of("a", Upstream.of("a", upstream.uri()).with(u -> u.dialects = List.of(spoken))))
                .with(c -> c.routes = List.of(route))
                .with(c -> c.accessLog = new AccessLog(AccessLog.Format.JSON, null)));
    }

    private static RawClient client(RelayServer relay) throws IOException {
        return new RawClient(relay.addresses().get(0).getPort());
    }

    private static RawClient.Response ask(RelayServer relay, Api api, boolean stream) throws IOException {
        var body = (ObjectNode) JSON.readTree(TranslationBed.body(api, stream));
        body.put("some_new_hint", 1);
        String path = stream ? api.path : api.path.replace(":streamGenerateContent?alt=sse", ":generateContent");
        try (var client = client(relay)) {
            client.send("POST", path, body.toString());
            return client.readAll();
        }
    }
}
