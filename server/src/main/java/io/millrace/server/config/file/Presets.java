package io.millrace.server.config.file;

import static java.util.Objects.requireNonNull;

import io.millrace.codec.dialect.Dialect;
import io.millrace.server.config.Credential;
import io.millrace.server.config.Credential.Secret;
import io.millrace.server.config.Match;
import io.millrace.server.config.ProviderKind;
import io.millrace.server.config.Upstream;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Upstreams and routes for a configuration that has none: the providers whose usual variables are set, else the mock.
 */
final class Presets {
    private static final String OPENAI = "openai";
    private static final String ANTHROPIC = "anthropic";
    private static final String GEMINI = "gemini";
    private static final String GEMINI_OPENAI = "gemini-openai";
    private static final String OPENAI_URL = "https://api.openai.com/v1";
    private static final String GEMINI_URL = "https://generativelanguage.googleapis.com";
    private static final String BASE_URL = "OPENAI_BASE_URL";

    /**
     * Methods of Gemini's models. A colon alone is not enough, because OpenAI's own models are called {@code
     * ft:gpt-4o:org}.
     */
    private static final List<String> GEMINI_METHODS = List.of(
            "streamGenerateContent",
            "generateContent",
            "countTokens",
            "embedContent",
            "batchEmbedContents",
            "batchGenerateContent",
            "predict",
            "predictLongRunning");

    private final Draft draft;
    private final Map<String, String> environment;
    private final Problems problems;

    Presets(Draft draft, Map<String, String> environment, Problems problems) {
        this.draft = draft;
        this.environment = environment;
        this.problems = problems;
    }

    /** Adds an upstream for each key that is set, and the routes to it. Returns whether any key is set. */
    boolean add() {
        String openAi = openAiUrl();
        // A server at another URL may use any dialect.
        List<Dialect> spoken = openAi.equals(OPENAI_URL) ? List.of(Dialect.CHAT, Dialect.RESPONSES) : List.of();
        addUpstream(OPENAI, ProviderKind.OPENAI, "OPENAI_API_KEY", openAi, spoken);
        String anthropic = "https://api.anthropic.com";
        addUpstream(ANTHROPIC, ProviderKind.ANTHROPIC, "ANTHROPIC_API_KEY", anthropic, List.of(Dialect.MESSAGES));
        addUpstream(GEMINI, ProviderKind.GEMINI, "GEMINI_API_KEY", GEMINI_URL, List.of(Dialect.GEMINI));
        addUpstream(GEMINI_OPENAI, ProviderKind.OPENAI, "GEMINI_API_KEY", GEMINI_URL, List.of());
        addRoutes();
        return !draft.upstreams.isEmpty();
    }

    private String openAiUrl() {
        String url = environment.getOrDefault(BASE_URL, "").strip();
        if (url.isEmpty() || !isSet("OPENAI_API_KEY")) {
            return OPENAI_URL;
        }
        try {
            return Upstream.of(OPENAI, Form.URL.read(url)).url().toString();
        } catch (IllegalArgumentException e) {
            problems.add(BASE_URL, String.valueOf(e.getMessage()));
            return OPENAI_URL;
        }
    }

    private boolean isSet(String variable) {
        return !environment.getOrDefault(variable, "").isBlank();
    }

    private void addUpstream(String name, ProviderKind kind, String variable, String url, List<Dialect> dialects) {
        if (!isSet(variable)) {
            return;
        }
        try {
            var secret = Secret.of(environment.getOrDefault(variable, "").strip(), "env: " + variable);
            var credential = new Credential(requireNonNull(kind.header), kind.prefix, secret);
            draft.upstreams.put(name, Upstream.of(name, URI.create(url)).with(u -> {
                u.credential = credential;
                u.dialects = dialects;
            }));
        } catch (IllegalArgumentException e) {
            problems.add(name, String.valueOf(e.getMessage()));
        }
    }

    /** Gemini first. Its OpenAI-compatible paths end like OpenAI's, and take the key as OpenAI's do. */
    private void addRoutes() {
        route(GEMINI_OPENAI, GEMINI_OPENAI, Match.paths("/v1beta/openai/*"));
        route(GEMINI, GEMINI, geminiPaths());
        // Not every path with this end: OpenAI has /v1/threads/{id}/messages.
        route(ANTHROPIC, ANTHROPIC, Match.paths("/v1/messages", "/v1/messages/*"));
        route(OPENAI, OPENAI, Match.paths("*/chat/completions", "*/completions", "*/responses", "*/responses/*"));
        route("chat-claude", ANTHROPIC, chat("claude-*"));
        route("chat-gemini", GEMINI, chat("gemini-*"));
        route("anthropic-version", ANTHROPIC, Match.ALL.with(m -> m.header = "anthropic-version"));
        for (var upstream : List.of(OPENAI, ANTHROPIC, GEMINI)) {
            if (draft.upstreams.containsKey(upstream)) {
                route("other", upstream, Match.ALL);
                return;
            }
        }
    }

    private static Match chat(String model) {
        return Match.paths("/chat").with(m -> m.models = List.of(model));
    }

    /** Paths with its own version, and its methods on other paths. Some clients percent-encode the colon. */
    private static Match geminiPaths() {
        var paths = new ArrayList<>(List.of("/v1beta/*", "/upload/v1beta/*"));
        for (String colon : List.of(":", "%3A", "%3a")) {
            GEMINI_METHODS.forEach(method -> paths.add("*" + colon + method));
        }
        return Match.ALL.with(m -> m.paths = paths);
    }

    private void route(String name, String upstream, Match match) {
        if (draft.upstreams.containsKey(upstream)) {
            draft.route(name, match, upstream);
        }
    }
}
