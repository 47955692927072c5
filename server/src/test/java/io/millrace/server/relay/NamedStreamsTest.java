package io.millrace.server.relay;

import static io.millrace.server.relay.ResumeBed.KEY;
import static io.millrace.server.relay.ResumeBed.idOf;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millrace.server.relay.ResumeBed.Part;
import io.millrace.server.test.RawClient;
import io.millrace.server.test.RelayHarness;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Streams by the names that their clients give them: {@code Idempotency-Key}, {@code Prefer: respond-async}, the id of a
 * Responses answer, the last event of {@code /chat}.
 */
@Tag("sockets")
@Tag("h2")
class NamedStreamsTest {
    private static final String OTHER_KEY = "Authorization: Bearer sk-two";
    private static final String ONCE = "Idempotency-Key: 0123456789abcdef";
    private static final int AT_ONCE = 50;
    private static final String ASYNC = "Prefer: respond-async";

    private final ResumeBed bed = new ResumeBed();

    @AfterEach
    void stop() {
        bed.close();
    }

    /** Fifty at once, on three event loops: they get the same bytes, and one of them is sent to the upstream. */
    @ParameterizedTest
    @EnumSource
    void equalRequestsOfOneNameAreAnsweredByOneStream(Api api) throws IOException {
        List<Part> parts = new ArrayList<>();
        List<RawClient> clients = new ArrayList<>();
        for (int i = 0; i < AT_ONCE; i++) {
            clients.add(send(api.path, "tokens=6,ttft_ms=100,gap_ms=5,stamp=1", KEY, ONCE));
        }
        for (RawClient client : clients) {
            parts.add(new Part(client));
        }
        for (Part part : parts) {
            assertThat(part.status()).isEqualTo(200);
            assertThat(part.readAll()).isTrue();
            assertThat(part.text()).isEqualTo(parts.get(0).text()).contains("@5@");
            assertThat(part.header("x-millrace-stream")).isEqualTo(parts.get(0).header("x-millrace-stream"));
            part.close();
        }
        assertThat(parts.stream().filter(part -> "true".equals(part.header("idempotent-replayed"))))
                .hasSize(AT_ONCE - 1);
        try (var late = new Part(send(api.path, "tokens=6,ttft_ms=100,gap_ms=5,stamp=1", KEY, ONCE))) {
            assertThat(late.readAll()).isTrue();
            assertThat(late.text()).isEqualTo(parts.get(0).text());
        }
        assertThat(bed.harness.mock.requests()).hasSize(1);
        await().until(() -> bed.harness.relay.metrics().activeExchanges() == 0);
    }

    @Test
    void aNameIsOfOneClientOnePathAndOneContent() throws IOException {
        try (var first = new Part(send(Api.CHAT.path, "tokens=2", KEY, ONCE))) {
            assertThat(first.readAll()).isTrue();
        }
        assertThat(status(Api.CHAT.path, "tokens=3", KEY, ONCE)).isEqualTo("422 idempotency_key_reused");
        assertThat(status(Api.MESSAGES.path, "tokens=2", KEY, ONCE)).startsWith("200");
        assertThat(status(Api.CHAT.path, "tokens=2", OTHER_KEY, ONCE)).startsWith("200");
        assertThat(status(Api.CHAT.path, "tokens=3", OTHER_KEY, ONCE)).isEqualTo("422 idempotency_key_reused");
        assertThat(status(Api.CHAT.path, "tokens=2", KEY, "Idempotency-Key: short"))
                .isEqualTo("400 invalid_idempotency_key");
        assertThat(bed.harness.mock.requests()).hasSize(3);
    }

    /** Neither is answered by a failure: whoever waits sends again. */
    @Test
    void aFailureFreesTheName() throws IOException {
        String fails = "status=400,ttft_ms=200";
        var first = send(Api.CHAT.path, fails, KEY, ONCE);
        await().until(() -> bed.harness.mock.requests().size() == 1);
        var second = send(Api.CHAT.path, fails, KEY, ONCE);
        assertThat(first.readAll().status()).isEqualTo(400);
        var conflict = second.readAll();
        assertThat(conflict.status()).isEqualTo(409);
        assertThat(conflict.text()).contains("idempotency_conflict");
        assertThat(conflict.header("retry-after")).isEqualTo("1");
        first.close();
        second.close();
        // The name is free soon, and a client that comes too early is told to send again.
        await().untilAsserted(() ->
                assertThat(status(Api.CHAT.path, fails, KEY, ONCE)).startsWith("400"));
        assertThat(status(Api.CHAT.path, "tokens=5,end_after=2", KEY, ONCE + "0"))
                .startsWith("200");
        assertThat(status(Api.CHAT.path, "tokens=5,end_after=2", KEY, ONCE + "0"))
                .startsWith("200");
        assertThat(bed.harness.mock.requests()).hasSize(4);
    }

    /** The client leaves before there is anything to read, and its retry gets the answer. */
    @Test
    void aNamedRequestOutlivesItsClientBeforeTheFirstOutput() throws IOException {
        var client = send(Api.CHAT.path, "tokens=4,ttft_ms=150", KEY, ONCE);
        await().until(() -> bed.harness.mock.requests().size() == 1); // what is taken back before does not begin
        client.reset();
        try (var again = new Part(send(Api.CHAT.path, "tokens=4,ttft_ms=150", KEY, ONCE))) {
            assertThat(again.readAll()).isTrue();
            assertThat(again.text()).endsWith("data: [DONE]\n\n");
        }
        assertThat(bed.harness.mock.requests()).hasSize(1);
        assertThat(bed.harness.mock.stats().streamsAborted()).isZero();
    }

    @ParameterizedTest
    @EnumSource
    void whoNeedNotWaitReadsTheAnswerElsewhere(Api api) throws IOException {
        String id;
        try (var client = send(api.path, "tokens=4,ttft_ms=50", KEY, ASYNC)) {
            var accepted = client.readAll();
            assertThat(accepted.status()).isEqualTo(202);
            assertThat(accepted.header("preference-applied")).isEqualTo("respond-async");
            id = accepted.header("x-millrace-stream");
            assertThat(accepted.header("location")).isEqualTo("/millrace/streams/" + id);
            assertThat(accepted.text()).isEqualTo("{\"id\":\"" + id + "\",\"url\":\"/millrace/streams/" + id + "\"}");
            client.send("GET", "/healthz", "");
            assertThat(client.readAll().text()).isEqualTo("ok\n");
        }
        try (var part = bed.follow(id);
                var other = bed.follow(id, OTHER_KEY);
                var whole = new Part(send(api.path, "tokens=4,ttft_ms=50", KEY))) {
            assertThat(part.status()).isEqualTo(200);
            assertThat(part.readAll()).isTrue();
            assertThat(whole.readAll()).isTrue();
            assertThat(frames(part)).isEqualTo(frames(whole)).isPositive();
            assertThat(other.status()).isEqualTo(404);
        }
        await().until(() -> bed.harness.relay.metrics().exchanges("completed") == 2);
    }

    @Test
    void whoNeedNotWaitFindsTheFailureElsewhere() throws IOException {
        String id;
        try (var client = send(Api.MESSAGES.path, "status=400", KEY, ASYNC)) {
            id = client.readAll().header("x-millrace-stream");
        }
        for (int i = 0; i < 2; i++) {
            try (var part = bed.follow(id)) {
                assertThat(part.status()).isEqualTo(400);
                assertThat(part.header("content-type")).startsWith("application/json");
                assertThat(part.readAll()).isTrue();
                assertThat(part.text()).contains("\"error\"");
            }
        }
        assertThat(status("/v1/embeddings", "tokens=2", KEY, ASYNC)).doesNotStartWith("202");
    }

    @Test
    void aResponsesStreamGoesOnByTheIdAndTheNumberOfItsAnswer() throws IOException {
        String whole;
        try (var first = bed.ask(Api.RESPONSES.path, "tokens=5")) {
            idOf(first);
            assertThat(first.readAll()).isTrue();
            whole = first.text();
        }
        String answer = whole.replaceAll("(?s).*?\"id\":\"(resp_[^\"]*)\".*", "$1");
        int end = 0;
        for (int number = 0; (end = whole.indexOf("\n\n", end) + 2) != 1; number++) {
            try (var rest = get("/v1/responses/" + answer + "?stream=true&starting_after=" + number, KEY)) {
                assertThat(rest.status()).isEqualTo(end == whole.length() ? 204 : 200);
                assertThat(end == whole.length() || rest.readAll()).isTrue();
                assertThat(rest.text()).isEqualTo(whole.substring(end));
            }
        }
        try (var all = get("/v1/responses/" + answer + "?stream=true", KEY)) {
            assertThat(all.readAll()).isTrue();
            assertThat(all.text()).isEqualTo(whole);
        }
        assertThat(bed.harness.mock.requests()).hasSize(1);
        // Others, and other requests, are the provider's.
        get("/v1/responses/" + answer + "?stream=true", OTHER_KEY).close();
        get("/v1/responses/" + answer, KEY).close();
        get("/v1/responses/resp_other?stream=true", KEY).close();
        assertThat(bed.harness.mock.requests()).hasSize(4);
    }

    @Test
    void anEventSourceGoesOnBehindItsLastEvent() throws IOException {
        String uri = "/chat?prompt=Hello&model=mock:tokens=4";
        String whole;
        try (var first = get(uri, KEY)) {
            idOf(first);
            assertThat(first.readAll()).isTrue();
            whole = first.text();
        }
        int end = 0;
        while ((end = whole.indexOf("\n\n", end) + 2) != 1) {
            String id = whole.substring(0, end).replaceAll("(?s).*\\nid: ([^\\n]*)\\n.*", "$1");
            try (var rest = get(uri, KEY, "Last-Event-ID: " + id);
                    var other = get(uri, OTHER_KEY, "Last-Event-ID: " + id)) {
                assertThat(rest.status()).isEqualTo(end == whole.length() ? 204 : 200);
                assertThat(end == whole.length() || rest.readAll()).isTrue();
                assertThat(rest.text()).isEqualTo(whole.substring(end));
                assertThat(other.status()).isEqualTo(204);
            }
        }
        for (String unknown : List.of("1", "0-00.1", "x", "99-0.1")) {
            try (var none = get(uri, KEY, "Last-Event-ID: " + unknown)) {
                assertThat(none.status()).isEqualTo(204);
            }
        }
        assertThat(bed.harness.mock.requests()).hasSize(1);
    }

    @Test
    void onlyNumberedStreamsGoOnByNumber() throws IOException {
        try (var first = bed.ask(Api.CHAT.path, "tokens=2")) {
            String id = idOf(first);
            assertThat(first.readAll()).isTrue();
            try (var rest = bed.follow(id + "?starting_after=1")) {
                assertThat(rest.status()).isEqualTo(400);
            }
        }
    }

    private static long frames(Part part) {
        return part.text().lines().filter(line -> line.startsWith("data:")).count();
    }

    private String status(String path, String spec, String... headers) throws IOException {
        try (var client = send(path, spec, headers)) {
            var response = client.readAll();
            String text = response.text();
            return response.status() + " " + text.replaceAll("(?s).*\"code\":\"?([a-z_0-9]*).*", "$1");
        }
    }

    private Part get(String uri, String... headers) throws IOException {
        RawClient client = bed.harness.client();
        client.send("GET", uri, "", headers);
        return new Part(client);
    }

    private RawClient send(String path, String spec, String... headers) throws IOException {
        RawClient client = bed.harness.client();
        client.send(
                "POST",
                RelayHarness.withSpec(path, spec),
                "{\"model\":\"m\",\"stream\":true,\"messages\":[],\"input\":\"a\"}",
                headers);
        return client;
    }
}
