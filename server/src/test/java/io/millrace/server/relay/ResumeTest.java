package io.millrace.server.relay;

import static io.millrace.server.relay.ResumeBed.idOf;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millrace.server.test.RelayHarness;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** {@code disconnect: detach}: the answer outlives its connection, and is read on from any byte. */
@Tag("sockets")
@Tag("h2")
class ResumeTest {
    @ParameterizedTest
    @EnumSource
    void goesOnWhereTheClientWasCut(Api api) throws IOException {
        byte[] whole = Files.readAllBytes(RelayHarness.STREAMS.resolve(api.recording));
        try (var bed = new ResumeBed()) {
            var joined = new ByteArrayOutputStream();
            String id;
            try (var first = bed.ask(api.path, "replay=" + api.recording + ",frame_gap_ms=20")) {
                id = idOf(first);
                first.read(whole.length / 3);
                joined.writeBytes(first.body());
            }
            try (var rest = bed.follow(id + "?offset=" + joined.size())) {
                assertThat(rest.status()).isEqualTo(200);
                assertThat(rest.header("x-millrace-offset")).isEqualTo("" + joined.size());
                assertThat(rest.header("x-millrace-stream")).isEqualTo(id);
                assertThat(rest.header("content-type")).startsWith("text/event-stream");
                assertThat(rest.readAll()).isTrue();
                joined.writeBytes(rest.body());
            }
            assertThat(joined.toByteArray()).isEqualTo(whole);
            try (var again = bed.follow(id)) {
                assertThat(again.readAll()).isTrue();
                assertThat(again.body()).isEqualTo(whole);
            }
            assertThat(bed.harness.mock.requests()).hasSize(1);
            await().until(() -> bed.harness.relay.metrics().exchanges("completed") == 1);
            assertThat(bed.harness.mock.stats().streamsAborted()).isZero();
        }
    }

    @Test
    void keepsNothingWhereItIsOff() throws IOException {
        try (var harness = RelayHarness.start();
                var client = harness.client()) {
            client.send("POST", RelayHarness.withSpec(Api.CHAT.path, "tokens=2"), "{\"model\":\"m\",\"stream\":true}");
            var response = client.readAll();
            assertThat(response.header("x-millrace-resume")).isNull();
            client.send("GET", "/millrace/streams/" + response.header("x-millrace-stream"), "");
            client.readAll();
            assertThat(harness.mock.requests()).hasSize(2);
        }
    }
}
