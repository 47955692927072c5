package io.millrace.server.telemetry.otlp;

import static io.millrace.server.telemetry.otlp.Receiver.attributes;
import static io.millrace.server.telemetry.otlp.Receiver.hex;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.millrace.server.config.Credential;
import io.millrace.server.config.Credential.Secret;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.RelayConfig.AccessLog;
import io.millrace.server.config.RelayConfig.ClientAccess;
import io.millrace.server.config.Route;
import io.millrace.server.config.Telemetry.Otlp;
import io.millrace.server.config.Upstream;
import io.millrace.server.mock.MockRequest;
import io.millrace.server.telemetry.Tracing;
import io.millrace.server.test.AccessLines;
import io.millrace.server.test.RelayHarness;
import io.millrace.server.test.ScriptedUpstream;
import io.opentelemetry.proto.metrics.v1.HistogramDataPoint;
import io.opentelemetry.proto.metrics.v1.Metric;
import io.opentelemetry.proto.metrics.v1.NumberDataPoint;
import io.opentelemetry.proto.trace.v1.Span;
import io.opentelemetry.proto.trace.v1.Status.StatusCode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/** What a collector gets of a relay. A relay sends all it has when it closes, so these tests read after that. */
@Tag("sockets")
class OtlpTest {
    private static final String CHAT = "/v1/chat/completions";
    private static final String TRACE = "0af7651916cd43dd8448eb211c80319c";
    private static final String CLIENT_SPAN = "b7ad6b7169203331";
    private static final String SAMPLED = "traceparent: 00-" + TRACE + "-" + CLIENT_SPAN + "-01";

    @Test
    void aTraceHasTheExchangeAndEachAttemptAsTheUpstreamsSawThem() throws IOException {
        try (var receiver = Receiver.start();
                var down = ScriptedUpstream.answering("HTTP/1.1 503 No\r\ncontent-length: 0\r\n\r\n")) {
            List<MockRequest> asked;
            try (var harness = RelayHarness.start(to(receiver.uri(), 0).andThen(c -> fallback(c, down.uri()))::apply);
                    var client = harness.client()) {
                client.send(
                        "POST",
                        RelayHarness.withSpec(CHAT, "tokens=3,usage=1"),
                        "{\"model\":\"m\",\"stream\":true,\"messages\":[]}",
                        SAMPLED,
                        "tracestate: vendor=1");
                assertThat(client.readAll().header("x-millrace-attempts")).isEqualTo("3");
                asked = harness.mock.requests();
            }

            List<Span> spans = receiver.spans();
            assertThat(spans).hasSize(4).allMatch(span -> hex(span.getTraceId()).equals(TRACE));
            Span exchange = spans.get(0);
            assertThat(hex(exchange.getParentSpanId())).isEqualTo(CLIENT_SPAN);
            assertThat(exchange.getKind()).isEqualTo(Span.SpanKind.SPAN_KIND_SERVER);
            assertThat(exchange.getName()).isEqualTo("POST " + CHAT);
            assertThat(exchange.getStatus().getCode()).isEqualTo(StatusCode.STATUS_CODE_UNSET);
            assertThat(attributes(exchange.getAttributesList()))
                    .containsEntry("http.response.status_code", "200")
                    .containsEntry("url.path", CHAT)
                    .containsEntry("millrace.outcome", "completed")
                    .containsEntry("millrace.attempts", "3")
                    .containsEntry("millrace.upstream", "default")
                    .containsEntry("gen_ai.request.model", "m")
                    .doesNotContainKey("error.type");
            assertThat(exchange.getEventsList())
                    .extracting(Span.Event::getName)
                    .containsExactly("millrace.first_output");

            List<Span> attempts = spans.subList(1, 4);
            assertThat(attempts).allSatisfy(attempt -> {
                assertThat(attempt.getParentSpanId()).isEqualTo(exchange.getSpanId());
                assertThat(attempt.getKind()).isEqualTo(Span.SpanKind.SPAN_KIND_CLIENT);
                assertThat(attempt.getName()).isEqualTo("chat m");
                assertThat(attempt.getStartTimeUnixNano()).isGreaterThanOrEqualTo(exchange.getStartTimeUnixNano());
                assertThat(attempt.getEndTimeUnixNano())
                        .isBetween(attempt.getStartTimeUnixNano(), exchange.getEndTimeUnixNano());
            });
            for (Span failed : attempts.subList(0, 2)) {
                assertThat(attributes(failed.getAttributesList()))
                        .containsEntry("millrace.upstream", "down")
                        .containsEntry("error.type", "503")
                        .containsEntry("server.address", "127.0.0.1")
                        .containsEntry("server.port", String.valueOf(down.uri().getPort()));
                assertThat(failed.getStatus().getCode()).isEqualTo(StatusCode.STATUS_CODE_ERROR);
                assertThat(failed.getEventsList())
                        .extracting(Span.Event::getName)
                        .containsExactly("millrace.error");
            }
            assertThat(attributes(attempts.get(2).getAttributesList()))
                    .containsEntry("millrace.upstream", "default")
                    .containsEntry("gen_ai.operation.name", "chat")
                    .containsEntry("gen_ai.provider.name", "openai")
                    .containsEntry("gen_ai.request.stream", "true")
                    .containsEntry("gen_ai.usage.output_tokens", "3")
                    .containsKey("gen_ai.response.time_to_first_chunk")
                    .doesNotContainKey("error.type");

            assertThat(down.requests()).hasSize(2);
            for (int i = 0; i < 2; i++) {
                assertThat(down.requests().get(i))
                        .contains("traceparent: " + parent(attempts.get(i)), "tracestate: vendor=1");
            }
            assertThat(asked).hasSize(1);
            assertThat(asked.get(0).headers().get("traceparent")).isEqualTo(parent(attempts.get(2)));
        }
    }

    @Test
    void toldOfAClientThatLeavesAndOfAStreamThatBreaks() throws IOException {
        try (var receiver = Receiver.start()) {
            try (var harness = RelayHarness.start(to(receiver.uri(), 1))) {
                try (var client = harness.client()) {
                    client.post(RelayHarness.withSpec(CHAT, "tokens=100,gap_ms=60000"), "gone", "");
                    client.readUntil("data: ");
                }
                await().until(() -> harness.relay.metrics().exchanges("client_gone") == 1);
                harness.stream(CHAT, "tokens=9,end_after=3");
                await().until(() -> harness.relay.metrics().activeExchanges() == 0);
            }
            List<Span> spans = receiver.spans();
            assertThat(spans).hasSize(4);
            assertThat(spans.get(0).getTraceId())
                    .isEqualTo(spans.get(1).getTraceId())
                    .isNotEqualTo(spans.get(2).getTraceId());
            assertThat(spans.get(0).getParentSpanId().isEmpty()).isTrue();
            assertThat(attributes(spans.get(0).getAttributesList()))
                    .containsEntry("millrace.outcome", "client_gone")
                    .doesNotContainKey("error.type");
            assertThat(spans.get(1).getEventsList())
                    .extracting(Span.Event::getName)
                    .containsExactly("millrace.first_output");
            for (Span broken : spans.subList(2, 4)) {
                assertThat(attributes(broken.getAttributesList())).containsEntry("error.type", "upstream_truncated");
                assertThat(broken.getStatus().getCode()).isEqualTo(StatusCode.STATUS_CODE_ERROR);
                assertThat(broken.getEventsList())
                        .extracting(Span.Event::getName)
                        .containsExactly("millrace.first_output", "millrace.error");
            }
        }
    }

    @Test
    void whoBeginsATraceDecidesWhetherItIsRecorded() throws IOException {
        try (var receiver = Receiver.start();
                var lines = new AccessLines()) {
            List<MockRequest> asked;
            String begun;
            try (var harness = RelayHarness.start(to(receiver.uri(), 0).andThen(OtlpTest::logged)::apply);
                    var client = harness.client()) {
                String silent = "traceparent: 00-" + TRACE + "-" + CLIENT_SPAN + "-00";
                client.send("POST", CHAT, "{\"model\":\"m\"}", silent, "tracestate: a=1");
                client.readAll();
                assertThat(lines.next().get("trace_id").asText()).isEqualTo(TRACE);
                client.send("POST", CHAT, "{\"model\":\"m\"}", "traceparent: 00-0-0-01", "tracestate: a=1");
                client.readAll();
                begun = lines.next().get("trace_id").asText();
                asked = harness.mock.requests();
            }
            assertThat(receiver.spans()).isEmpty();
            assertThat(asked.get(0).headers().get("traceparent")).isEqualTo("00-" + TRACE + "-" + CLIENT_SPAN + "-00");
            assertThat(asked.get(0).headers().get("tracestate")).isEqualTo("a=1");
            assertThat(asked.get(1).headers().get("traceparent")).matches("00-" + begun + "-[0-9a-f]{16}-00");
            assertThat(asked.get(1).headers().get("tracestate")).isNull();
        }
    }

    @Test
    void metricsHaveTheNamesOfTheConventionsAndTheCountsOfThePrometheusOnes() throws IOException {
        try (var receiver = Receiver.start()) {
            try (var harness = RelayHarness.start(to(receiver.uri(), 0))) {
                for (int i = 0; i < 3; i++) {
                    harness.stream(CHAT, "ttft_ms=30,tokens=4,gap_ms=5,usage=1");
                }
                await().until(() -> harness.relay.metrics().activeExchanges() == 0);
            }
            Map<String, Metric> metrics = receiver.metrics();
            String client = "gen_ai.client.inference.";
            for (String name : List.of("duration", "time_to_first_chunk", "time_per_output_chunk")) {
                Metric metric = metrics.get(client + name);
                assertThat(metric.getUnit()).isEqualTo("s");
                HistogramDataPoint point = metric.getHistogram().getDataPoints(0);
                assertThat(attributes(point.getAttributesList()))
                        .containsEntry("gen_ai.operation.name", "chat")
                        .containsEntry("gen_ai.provider.name", "default")
                        .containsEntry("millrace.upstream", "default")
                        .containsEntry("server.address", "127.0.0.1");
                assertThat(point.getCount()).as(name).isEqualTo(name.equals("time_per_output_chunk") ? 9 : 3);
                assertThat(point.getBucketCountsCount()).isEqualTo(point.getExplicitBoundsCount() + 1);
            }
            HistogramDataPoint first =
                    metrics.get(client + "time_to_first_chunk").getHistogram().getDataPoints(0);
            assertThat(first.getSum()).isGreaterThanOrEqualTo(3 * 0.029);
            assertThat(attributes(first.getAttributesList())).containsEntry("gen_ai.request.model", "m");
            NumberDataPoint output =
                    metrics.get(client + "usage.output_tokens").getSum().getDataPoints(0);
            assertThat(output.getAsInt()).isEqualTo(12);
            assertThat(attributes(output.getAttributesList())).containsEntry("gen_ai.token.modality", "unknown");
            assertThat(metrics.keySet())
                    .contains(
                            client + "usage.input_tokens",
                            client + "usage.cache_read.input_tokens",
                            client + "usage.cache_write.input_tokens",
                            client + "usage.reasoning.output_tokens");
        }
    }

    @Test
    void neverSendsAPromptAnAnswerOrAKey() throws IOException {
        try (var receiver = Receiver.start();
                var upstream = ScriptedUpstream.start(connection -> {
                    for (String answer : List.of(answer("data: [DONE]\n\n"), answer(""), refusal())) {
                        connection.readRequest();
                        connection.send(answer);
                    }
                })) {
            var credential = new Credential("authorization", "Bearer ", Secret.of("CANARY-RELAY-KEY", "env: KEY"));
            UnaryOperator<RelayConfig> keyed =
                    c -> withUpstream(c.with(o -> o.clients = ClientAccess.ALLOW_OPEN), u -> {
                        u.urls = List.of(upstream.uri());
                        u.credential = credential;
                    });
            try (var harness = RelayHarness.start(to(receiver.uri(), 1).andThen(keyed)::apply)) {
                for (int i = 0; i < 3; i++) {
                    try (var client = harness.client()) {
                        client.send(
                                "POST",
                                CHAT + "?key=CANARY-QUERY",
                                "{\"model\":\"m\",\"stream\":true,\"user\":\"CANARY-USER\","
                                        + "\"messages\":[{\"role\":\"user\",\"content\":\"CANARY-PROMPT\"}]}",
                                "authorization: Bearer CANARY-CLIENT-KEY",
                                "x-request-id: CANARY-ID",
                                "tracestate: a=CANARY-STATE",
                                "baggage: b=CANARY-BAGGAGE",
                                "user-agent: CANARY-AGENT");
                        assertThat(client.readAll().text()).contains("CANARY");
                    }
                }
                await().until(() -> harness.relay.metrics().activeExchanges() == 0);
            }
            assertThat(receiver.spans()).hasSize(6);
            assertThat(receiver.metrics()).isNotEmpty();
            assertThat(receiver.raw()).doesNotContainIgnoringCase("CANARY");
            assertThat(receiver.got())
                    .allSatisfy(got -> assertThat(got.headers())
                            .containsEntry("X-tenant", List.of("secret-of-tests"))
                            .containsEntry("Content-type", List.of("application/x-protobuf")));
        }
    }

    private static String answer(String end) {
        String body = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"CANARY-ANSWER\"}}]}\n\n" + end;
        return "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: " + body.length() + "\r\n\r\n"
                + body;
    }

    private static String refusal() {
        String body = "{\"error\":{\"message\":\"CANARY-ERROR\",\"code\":\"CANARY-CODE\"}}";
        return "HTTP/1.1 400 CANARY-REASON\r\ncontent-type: application/json\r\ncontent-length: " + body.length()
                + "\r\n\r\n" + body;
    }

    @Test
    void aCollectorThatRefusesOrIsGoneCostsOneWarning() throws IOException {
        var log = new Warnings();
        try (var receiver = Receiver.start()) {
            receiver.answer(403);
            try (var harness = RelayHarness.start(to(receiver.uri(), 1))) {
                assertThat(harness.stream(CHAT, "tokens=3").status()).isEqualTo(200);
                await().until(() -> !log.texts().isEmpty());
                receiver.stop();
                assertThat(harness.stream(CHAT, "tokens=3").status()).isEqualTo(200);
            }
        } finally {
            log.detach();
        }
        assertThat(log.texts())
                .singleElement()
                .asString()
                .contains("telemetry.otlp: http://127.0.0.1:", "2 spans are lost", "403");
    }

    @Test
    void aCollectorThatIsSlowOrSaysNotNowGetsTheSameReportAgain() throws IOException {
        try (var receiver = Receiver.start()) {
            receiver.answerOnce(503);
            try (var harness = RelayHarness.start(to(receiver.uri(), 1))) {
                harness.stream(CHAT, "tokens=3");
                await().until(() -> harness.relay.metrics().activeExchanges() == 0);
            }
            assertThat(receiver.spans()).hasSize(4);
            assertThat(receiver.spans().get(0)).isEqualTo(receiver.spans().get(2));
        }
        var gate = new CountDownLatch(1);
        try (var receiver = Receiver.behind(gate)) {
            try (var harness = RelayHarness.start(to(receiver.uri(), 1))) {
                for (int i = 0; i < 20; i++) {
                    assertThat(harness.stream(CHAT, "tokens=3").status()).isEqualTo(200);
                }
                gate.countDown();
            }
            assertThat(receiver.spans()).hasSize(40);
        }
    }

    /** Each report of traces is answered when there is something for the next. */
    @Test
    void metricsAreSentInTimeWhileTracesWait() throws IOException {
        try (var receiver = Receiver.start()) {
            UnaryOperator<RelayConfig> often = c -> c.with(o ->
                    o.telemetry = o.telemetry.with(t -> t.otlp = t.otlp.with(p -> p.interval = Duration.ofSeconds(1))));
            try (var harness = RelayHarness.start(to(receiver.uri(), 1).andThen(often)::apply)) {
                receiver.beforeAnswers(() -> {
                    if (receiver.metrics().isEmpty()) {
                        exchange(harness);
                    }
                });
                exchange(harness);
                await().until(() -> !receiver.metrics().isEmpty());
            }
        }
    }

    private static void exchange(RelayHarness harness) {
        try {
            harness.stream(CHAT, "tokens=3");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        await().until(() -> harness.relay.metrics().activeExchanges() == 0);
    }

    @Test
    void aCollectorThatDoesNotAnswerHoldsTheCloseUpNoLongerThanItsLimit() throws Exception {
        var gate = new CountDownLatch(1);
        try (var receiver = Receiver.behind(gate);
                var harness = RelayHarness.start()) {
            exchange(harness);
            Otlp otlp = Otlp.OFF.with(o -> o.endpoint = receiver.uri());
            var source = new OtlpExport.Source(harness.relay.metrics(), Tracing.OFF, Map::of);
            var export = OtlpExport.open(otlp, source, 200);
            long fromNs = System.nanoTime();
            export.close();
            // A report is given up after ten seconds.
            assertThat(Duration.ofNanos(System.nanoTime() - fromNs))
                    .isBetween(Duration.ofMillis(100), Duration.ofSeconds(9));
            assertThat(receiver.got()).isEmpty();
        }
    }

    /** What the export has warned of. */
    private static final class Warnings {
        private static final Logger LOGGER = (Logger) LoggerFactory.getLogger(Collector.class);
        private final ListAppender<ILoggingEvent> appender = new ListAppender<>();

        Warnings() {
            appender.list = new CopyOnWriteArrayList<>();
            appender.setContext(LOGGER.getLoggerContext());
            appender.start();
            LOGGER.addAppender(appender);
        }

        void detach() {
            LOGGER.detachAppender(appender);
        }

        List<String> texts() {
            return appender.list.stream()
                    .filter(event -> event.getLevel() == Level.WARN)
                    .map(ILoggingEvent::getFormattedMessage)
                    .toList();
        }
    }

    private static String parent(Span span) {
        return "00-" + TRACE + "-" + hex(span.getSpanId()) + "-01";
    }

    private static UnaryOperator<RelayConfig> to(URI collector, double ratio) {
        Map<String, Secret> headers = Map.of("x-tenant", Secret.of("secret-of-tests", "env: T"));
        Otlp otlp = Otlp.OFF
                .with(o -> o.endpoint = collector)
                .with(o -> o.headers = headers)
                .with(o -> o.ratio = ratio);
        return config -> RelayHarness.withRetry(config, RelayHarness.QUICK)
                .with(c -> c.telemetry = c.telemetry.with(t -> t.otlp = otlp));
    }

    private static RelayConfig logged(RelayConfig config) {
        return config.with(c -> c.accessLog = AccessLog.DEFAULT);
    }

    /** First an upstream that is asked twice, then the one that there is. */
    private static RelayConfig fallback(RelayConfig config, URI down) {
        var upstreams = new LinkedHashMap<>(config.upstreams());
        upstreams.put("down", Upstream.of("down", down));
        Route route = config.routes().get(0).with(r -> r.retry = r.retry.with(retry -> retry.attempts = 2));
        List<Route.Target> targets = List.of(Route.Target.of("down"), Route.Target.of("default"));
        return config.with(c -> c.upstreams = upstreams)
                .with(c -> c.routes = List.of(route.with(r -> r.targets = targets)));
    }

    private static RelayConfig withUpstream(RelayConfig config, Consumer<Upstream.Builder> change) {
        Upstream changed = config.upstreams().get("default").with(change);
        return config.with(c -> c.upstreams = Map.of("default", changed));
    }
}
