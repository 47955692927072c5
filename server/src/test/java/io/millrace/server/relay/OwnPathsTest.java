package io.millrace.server.relay;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.server.config.OwnPaths;
import io.millrace.server.test.RawClient;
import io.millrace.server.test.RelayHarness;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("sockets")
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

    @Test
    void answersHttp10WithoutAHost() throws IOException {
        try (var harness = RelayHarness.start();
                var client = harness.client()) {
            client.sendRaw("GET /healthz HTTP/1.0\r\n\r\n");
            assertThat(client.readAll().text()).isEqualTo("ok\n");
            assertThat(client.read()).isEqualTo(-1);
        }
    }

    private static RawClient.Response get(RawClient client, String method, String path) throws IOException {
        client.send(method, path, "");
        return client.readAll();
    }
}
