package io.millrace.server.relay;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.millrace.server.config.RelayConfig.OwnPaths;
import io.millrace.server.test.RawClient;
import io.millrace.server.test.RelayHarness;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

@Tag("sockets")
@Tag("h2")
class OwnPathsTest {
    @Test
    void answersHealthReadinessAndMetricsByItself() throws IOException {
        try (var harness = RelayHarness.start();
                var client = harness.client()) {
            assertThat(get(client, "GET", "/healthz").text()).isEqualTo("ok\n");
            assertThat(get(client, "GET", "/readyz?verbose").text()).isEqualTo("ready\n");
            RawClient.Response metrics = get(client, "GET", "/metrics");
            assertThat(metrics.header("content-type")).startsWith("text/plain");
            assertThat(metrics.text()).contains("# TYPE millrace_").contains("outcome=\"local\"");
            assertThat(metrics.header("x-content-type-options")).isEqualTo("nosniff");
            assertThat(harness.mock.requests()).isEmpty();
        }
    }

    @Test
    void answersHeadWithoutABody() throws IOException {
        try (var harness = RelayHarness.start();
                var client = harness.client()) {
            for (String path : List.of("/healthz", "/readyz", "/metrics")) {
                client.send("HEAD", path, "");
                String head = client.readHead();
                assertThat(head).startsWith("HTTP/1.1 200 OK\r\n");
                assertThat(Integer.parseInt(RawClient.header(head, "content-length")))
                        .isPositive();
            }
            assertThat(get(client, "GET", "/healthz").text()).isEqualTo("ok\n");
        }
    }

    @Test
    void relaysOtherMethodsAndOtherSpellings() throws IOException {
        try (var harness = RelayHarness.start();
                var client = harness.client()) {
            get(client, "POST", "/healthz");
            get(client, "GET", "/healthz/");
            get(client, "GET", "//healthz");
            get(client, "GET", "/%68ealthz");
            get(client, "GET", "/HEALTHZ");
            assertThat(harness.mock.requests().stream().map(request -> request.uri()))
                    .containsExactly("/healthz", "/healthz/", "//healthz", "/%68ealthz", "/HEALTHZ");
        }
    }

    @Test
    void relaysWhatIsSwitchedOff() throws IOException {
        try (var harness = RelayHarness.start(config -> config.with(c ->
                        c.ownPaths = OwnPaths.ALL.with(o -> o.healthz = false).with(o -> o.metrics = false)));
                var client = harness.client()) {
            get(client, "GET", "/healthz");
            get(client, "GET", "/metrics");
            assertThat(get(client, "GET", "/readyz").text()).isEqualTo("ready\n");
            assertThat(harness.mock.requests()).hasSize(2);
        }
    }

    @Tag("h1") // HTTP/1.0
    @Test
    void answersHttp10WithoutAHost() throws IOException {
        try (var harness = RelayHarness.start();
                var client = harness.client()) {
            client.sendRaw("GET /healthz HTTP/1.0\r\n\r\n");
            assertThat(client.readAll().text()).isEqualTo("ok\n");
            assertThat(client.read()).isEqualTo(-1);
        }
    }

    @Test
    void answers500WhereItCannotMakeAnAnswer() throws IOException {
        var logger = (Logger) LoggerFactory.getLogger("io.millrace.server.own.LocalExchange");
        var log = new ListAppender<ILoggingEvent>();
        log.start();
        logger.addAppender(log);
        try (var harness = RelayHarness.start();
                var client = harness.client()) {
            harness.relay.metrics().lostLogLines(() -> 0, () -> {
                throw new IllegalStateException("no count");
            });
            RawClient.Response failed = get(client, "GET", "/metrics");
            assertThat(failed.status()).isEqualTo(500);
            assertThat(failed.text()).startsWith("{\"error\":").contains("internal_error");
            assertThat(log.list).hasSize(1);
            assertThat(log.list.get(0).getThrowableProxy().getMessage()).isEqualTo("no count");
            harness.relay.metrics().lostLogLines(() -> 0, () -> 0);
            assertThat(get(client, "GET", "/metrics").text()).contains("millrace_own_answers_failed_total 1.0");
            assertThat(harness.relay.metrics().activeExchanges()).isZero();
        } finally {
            logger.detachAppender(log);
        }
    }

    private static RawClient.Response get(RawClient client, String method, String path) throws IOException {
        client.send(method, path, "");
        return client.readAll();
    }
}
