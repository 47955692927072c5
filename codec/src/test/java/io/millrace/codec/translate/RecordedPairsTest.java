package io.millrace.codec.translate;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.millrace.codec.dialect.Dialect;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Every recorded stream, for clients of every dialect: text, tool arguments, stop reason and usage arrive. */
class RecordedPairsTest {
    /** What providers write for these reasons. */
    private static final Map<String, StopReason> REASONS = Map.ofEntries(
            Map.entry("stop", StopReason.END),
            Map.entry("length", StopReason.LENGTH),
            Map.entry("tool_calls", StopReason.TOOL_CALLS),
            Map.entry("end_turn", StopReason.END),
            Map.entry("max_tokens", StopReason.LENGTH),
            Map.entry("tool_use", StopReason.TOOL_CALLS),
            Map.entry("refusal", StopReason.REFUSAL));

    /** Tools that the provider runs itself: the client has nothing to do with their calls. */
    private static final Set<String> PROVIDER_TOOLS = Set.of("anthropic-web-search.sse");

    /** xAI's answer tokens leave reasoning out; a translated count never does. */
    private static final Map<String, Long> OUTPUT_TOKENS = Map.of("chat-xai-empty-deltas.sse", 231L);

    static Stream<Arguments> pairs() {
        return Recorded.dialects().stream()
                .flatMap(upstream -> Recorded.files(upstream).stream())
                .flatMap(file -> Recorded.dialects().stream().map(client -> Arguments.of(file, client)));
    }

    @ParameterizedTest(name = "{0} for {1}")
    @MethodSource("pairs")
    void saysTheSame(String file, Dialect client) {
        JsonNode expected = Recorded.expected(file);
        StreamTranslator translator = Recorded.streaming(client, Recorded.dialectOf(file)).stream();

        ClientView view = ClientView.of(client, Recorded.translate(translator, Recorded.frames(Recorded.read(file))));

        assertTextIs(expected, view);
        assertCallsAre(file, expected, view);
        if (!expected.get("error").isNull()) {
            assertThat(view.error).isNotEmpty();
            assertThat(view.finish).isNull();
            return;
        }
        assertThat(view.error).isNull();
        assertThat(view.ended).isTrue();
        assertThat(translator.isOver()).isTrue();
        String finish = expected.get("finish").textValue();
        // Messages says by its stop reason what Chat says by the field of the text.
        boolean refused =
                client == Dialect.MESSAGES && !expected.get("refusal").asText().isEmpty();
        StopReason reason = refused ? StopReason.REFUSAL : REASONS.get(finish == null ? "" : finish);
        assertThat(view.finish).isEqualTo(reason == null ? null : view.finishOf(reason));
        assertUsageIs(file, expected, translator.usage(), view);
    }

    private static void assertTextIs(JsonNode expected, ClientView view) {
        String refusal = expected.get("refusal").asText();
        String text = view.text.toString();
        if (refusal.isEmpty()) {
            assertThat(sha256(text)).isEqualTo(expected.get("text_sha256").asText());
        } else {
            assertThat(text + view.refusal).isEqualTo(refusal);
        }
        assertMatches(expected.get("reasoning"), view.reasoning.toString());
    }

    private static void assertCallsAre(String file, JsonNode expected, ClientView view) {
        JsonNode tools = expected.get("tools");
        assertThat(view.calls).hasSize(PROVIDER_TOOLS.contains(file) ? 0 : tools.size());
        for (int i = 0; i < view.calls.size(); i++) {
            assertThat(view.calls.get(i).name).isEqualTo(tools.get(i).get(0).asText());
            assertThat(view.calls.get(i).id).isNotEmpty();
            assertMatches(tools.get(i).get(1), view.calls.get(i).arguments.toString());
        }
    }

    /** Long strings are expected by their digest. */
    private static void assertMatches(JsonNode expected, String actual) {
        if (expected.isTextual()) {
            assertThat(actual).isEqualTo(expected.asText());
        } else {
            assertThat(sha256(actual)).isEqualTo(expected.get("sha256").asText());
        }
    }

    private static void assertUsageIs(String file, JsonNode expected, TokenCounts usage, ClientView view) {
        long expectedInput = expected.get("usage_in").asLong(-1);
        if (expectedInput < 0) {
            assertThat(usage.isKnown()).isFalse();
            return;
        }
        boolean messages = Recorded.dialectOf(file) == Dialect.MESSAGES;
        long apart = Math.max(0, usage.cacheRead()) + Math.max(0, usage.cacheWrite());
        assertThat(messages ? usage.input() - apart : usage.input()).isEqualTo(expectedInput);
        assertThat(usage.output())
                .isEqualTo(OUTPUT_TOKENS.getOrDefault(
                        file, expected.get("usage_out").asLong(-1)));
        assertThat(List.of(view.input, view.cached, view.output))
                .isEqualTo(List.of(usage.input(), usage.cacheRead(), usage.output()));
    }

    private static String sha256(String text) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
