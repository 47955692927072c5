package io.millrace.server.relay;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.server.mock.MockConfig;
import io.millrace.server.test.RawClient;
import io.millrace.server.test.RelayHarness;
import io.millrace.server.transport.Transport;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

@Tag("sockets")
@Tag("h2")
class ByteExactnessTest {
    /** Streams with an error that no SDK recognises. An error frame of the relay follows them. */
    private static final Set<String> GET_AN_ERROR_FRAME =
            Set.of("chat-llamabox-error-field.sse", "gemini-error-midstream.sse");

    private static final Map<Transport, RelayHarness> HARNESSES = new EnumMap<>(Transport.class);

    @BeforeAll
    static void start() {
        for (Transport transport : RelayHarness.transports()) {
            HARNESSES.put(
                    transport,
                    RelayHarness.start(
                            MockConfig.defaults().withTransport(transport).withReplayDir(RelayHarness.STREAMS),
                            config -> config.with(c -> c.transport = transport)));
        }
    }

    @AfterAll
    static void stop() {
        HARNESSES.values().forEach(RelayHarness::close);
    }

    static List<Arguments> recordedStreamsOnEachTransport() throws IOException {
        try (var files = Files.list(RelayHarness.STREAMS)) {
            return files.filter(file -> file.toString().endsWith(".sse"))
                    .sorted()
                    .flatMap(file -> HARNESSES.keySet().stream().map(transport -> Arguments.of(transport, file)))
                    .toList();
        }
    }

    @ParameterizedTest
    @MethodSource("recordedStreamsOnEachTransport")
    void relaysEveryByteHoweverTheyCome(Transport transport, Path file) throws IOException {
        String name = file.getFileName().toString();
        byte[] sent = Files.readAllBytes(file);
        String[] pacings = sent.length > 40_000
                ? new String[] {"", ",segment=7", ",chunk=none", ",gzip=1"}
                : new String[] {
                    "",
                    ",segment=1",
                    ",segment=1,chunk=segment",
                    ",segment=13,length=1",
                    ",chunk=none",
                    ",gzip=1",
                    ",deflate=1"
                };
        for (String pacing : pacings) {
            RawClient.Response response = HARNESSES.get(transport).stream(path(name), "replay=" + name + pacing);
            assertThat(response.status()).as(pacing).isEqualTo(200);
            assertThat(response.end()).as(pacing).isEqualTo(RawClient.End.COMPLETE);
            assertSame(name, sent, response.body(), pacing);
        }
    }

    static void assertSame(String name, byte[] sent, byte[] got, String pacing) {
        if (!GET_AN_ERROR_FRAME.contains(name)) {
            assertThat(new String(got, StandardCharsets.UTF_8))
                    .as(pacing)
                    .isEqualTo(new String(sent, StandardCharsets.UTF_8));
            assertThat(got).as(pacing).isEqualTo(sent);
            return;
        }
        assertThat(got.length).as(pacing).isGreaterThan(sent.length);
        assertThat(Arrays.copyOf(got, sent.length)).as(pacing).isEqualTo(sent);
        assertThat(new String(got, sent.length, got.length - sent.length, StandardCharsets.UTF_8))
                .as(pacing)
                .contains("\"error\"");
    }

    static String path(String name) {
        String dialect = name.replace("derived-", "").split("-", 2)[0];
        return switch (dialect) {
            case "chat" -> "/v1/chat/completions";
            case "completions" -> "/v1/completions";
            case "responses" -> "/v1/responses";
            case "anthropic" -> "/v1/messages";
            default -> "/v1beta/models/m:streamGenerateContent?alt=sse";
        };
    }
}
