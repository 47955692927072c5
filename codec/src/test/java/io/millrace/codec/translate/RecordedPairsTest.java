package io.millrace.codec.translate;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
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
    /** The words of providers for these reasons. */
    private static final Map<String, StopReason> REASONS = Map.ofEntries(
            Map.entry("stop", StopReason.END),
            Map.entry("length", StopReason.LENGTH),
            Map.entry("tool_calls", StopReason.TOOL_CALLS),
            Map.entry("end_turn", StopReason.END),
            Map.entry("max_tokens", StopReason.LENGTH),
            Map.entry("tool_use", StopReason.TOOL_CALLS),
            Map.entry("refusal", StopReason.REFUSAL),
            Map.entry("completed", StopReason.END),
            Map.entry("incomplete:max_output_tokens", StopReason.LENGTH),
            Map.entry("STOP", StopReason.END),
            Map.entry("block:SAFETY", StopReason.CONTENT_FILTER));

    /** Streams whose last frame lacks its blank line: a strict parser does not see it, a relay must. */
    private static final Map<String, String> FINISH_IN_TAIL = Map.of("gemini-prompt-blocked.sse", "block:SAFETY");

    /** A reasoning summary of four parts, with a blank line between them. */
    private static final Map<String, String> PARAGRAPHS = Map.of(
            "responses-openai-reasoning-summary.sse",
            "850ada24574b27f42b158f5c750bb1fcc5a6d5fbe0a5899e206aa378bd0bfa2f");

    /** Tools that the provider runs itself: the client has nothing to do with their calls. */
    private static final Set<String> PROVIDER_TOOLS = Set.of("anthropic-web-search.sse");

    /** Gemini has whole calls only. */
    private static final String CUT_CALL = "anthropic-max-tokens-cut-tool-no-eof-blank.sse";

    /** xAI's answer tokens do not include reasoning. A translated count always does. */
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

        assertTextIs(file, expected, view);
        assertCallsAre(file, client, expected, view);
        if (!expected.get("error").isNull()) {
            assertThat(view.error).isNotEmpty();
            assertThat(view.finish).isNull();
            return;
        }
        assertThat(view.error).isNull();
        assertThat(view.ended).isTrue();
        assertThat(translator.isOver()).isTrue();
        assertFinishIs(file, client, expected, view);
        assertUsageIs(file, expected, translator.usage(), view);
    }

    @ParameterizedTest(name = "{0} for {1}")
    @MethodSource("pairs")
    void saysTheSameAtOnce(String file, Dialect client) {
        JsonNode expected = Recorded.expected(file);
        Dialect upstream = Recorded.dialectOf(file);
        byte[] body = Recorded.whole(upstream, Recorded.frames(Recorded.read(file)));
        if (body == null) {
            assertThat(expected.get("error").isNull()).isFalse();
            return;
        }

        TranslatedAnswer answer = Recorded.streaming(client, upstream).answer(body, null);

        ClientView view = BodyView.of(client, answer.body());
        assertThat(answer.status()).isEqualTo(200);
        assertTextIs(file, expected, view);
        if (!file.equals(CUT_CALL)) {
            assertCallsAre(file, client, expected, view);
        }
        assertFinishIs(file, client, expected, view);
        assertUsageIs(file, expected, answer.usage(), view);
    }

    private static void assertFinishIs(String file, Dialect client, JsonNode expected, ClientView view) {
        String finish = FINISH_IN_TAIL.getOrDefault(file, expected.get("finish").textValue());
        // Messages has in its stop reason what Chat has in the field of the text.
        boolean refused =
                client == Dialect.MESSAGES && !expected.get("refusal").asText().isEmpty();
        StopReason reason = refused ? StopReason.REFUSAL : REASONS.get(finish == null ? "" : finish);
        // If calls end like any answer, only the calls show the reason.
        boolean called = reason == StopReason.END && !view.calls.isEmpty();
        assertThat(view.finish).isEqualTo(view.finishOf(called ? StopReason.TOOL_CALLS : reason));
    }

    private static void assertTextIs(String file, JsonNode expected, ClientView view) {
        String refusal = expected.get("refusal").asText();
        String text = view.text.toString();
        if (refusal.isEmpty()) {
            assertThat(sha256(text)).isEqualTo(expected.get("text_sha256").asText());
        } else {
            assertThat(text + view.refusal).isEqualTo(refusal);
        }
        if (PARAGRAPHS.containsKey(file)) {
            assertThat(sha256(view.reasoning.toString())).isEqualTo(PARAGRAPHS.get(file));
        } else {
            assertMatches(expected.get("reasoning"), view.reasoning.toString());
        }
    }

    private static void assertCallsAre(String file, Dialect client, JsonNode expected, ClientView view) {
        JsonNode tools = expected.get("tools");
        boolean cut = file.equals(CUT_CALL) && client == Dialect.GEMINI;
        assertThat(view.calls).hasSize(PROVIDER_TOOLS.contains(file) || cut ? 0 : tools.size());
        for (int i = 0; i < view.calls.size(); i++) {
            assertThat(view.calls.get(i).name).isEqualTo(tools.get(i).get(0).asText());
            assertThat(view.calls.get(i).id).isNotEmpty();
            assertArgumentsAre(
                    file, tools.get(i).get(1), view.calls.get(i).arguments.toString());
        }
    }

    /** The arguments may have another form, but are the same JSON. A custom tool's text becomes a field of it. */
    private static void assertArgumentsAre(String file, JsonNode expected, String actual) {
        if (file.equals("responses-openai-custom-tool.sse")) {
            assertThat(json(actual).get("input")).isEqualTo(expected);
        } else if (expected.isTextual()) {
            assertThat(json(actual)).isEqualTo(json(expected.asText()));
        } else {
            assertMatches(expected, actual);
        }
    }

    private static JsonNode json(String text) {
        try {
            return ClientView.JSON.readTree(text);
        } catch (JsonProcessingException e) {
            throw new AssertionError(text, e);
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
        boolean gemini = Recorded.dialectOf(file) == Dialect.GEMINI;
        assertThat(gemini ? usage.output() - Math.max(0, usage.reasoning()) : usage.output())
                .isEqualTo(OUTPUT_TOKENS.getOrDefault(
                        file, expected.get("usage_out").asLong(-1)));
        assertThat(List.of(view.input, Math.max(0, view.cached), view.output))
                .isEqualTo(List.of(usage.input(), Math.max(0, usage.cacheRead()), usage.output()));
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
