package io.millrace.server.config;

import java.net.URI;
import java.util.List;
import java.util.Map;

/** Upstreams and routes for those who configured none: the providers whose usual variables are set, else the mock. */
final class Presets {
    private static final String OPENAI = "openai";
    private static final String ANTHROPIC = "anthropic";
    private static final String GEMINI = "gemini";

    private final Draft draft;
    private final Map<String, String> environment;
    private final Problems problems;

    Presets(Draft draft, Map<String, String> environment, Problems problems) {
        this.draft = draft;
        this.environment = environment;
        this.problems = problems;
    }

    /** Adds an upstream for each key that is set, and the routes to them. Whether there was any key. */
    boolean add() {
        String base = environment.getOrDefault("OPENAI_BASE_URL", "https://api.openai.com/v1");
        addUpstream(OPENAI, ProviderKind.OPENAI, "OPENAI_API_KEY", base);
        addUpstream(ANTHROPIC, ProviderKind.ANTHROPIC, "ANTHROPIC_API_KEY", "https://api.anthropic.com");
        addUpstream(GEMINI, ProviderKind.GEMINI, "GEMINI_API_KEY", "https://generativelanguage.googleapis.com");
        addRoutes();
        return !draft.upstreams.isEmpty();
    }

    private void addUpstream(String name, ProviderKind kind, String variable, String url) {
        if (environment.getOrDefault(variable, "").isBlank()) {
            return;
        }
        try {
            var secret = Secret.of(environment.get(variable).strip(), "env: " + variable);
            var credential = new Credential(kind.header, kind.prefix, secret);
            draft.upstreams.put(name, Upstream.of(name, URI.create(url)).withCredential(credential));
        } catch (IllegalArgumentException e) {
            problems.add(name, e.getMessage());
        }
    }

    /** Gemini first: its OpenAI-compatible paths end as OpenAI's do. */
    private void addRoutes() {
        route(
                GEMINI,
                GEMINI,
                Match.paths("/v1beta/*", "/upload/v1beta/*", "*:streamGenerateContent", "*:generateContent"));
        route(ANTHROPIC, ANTHROPIC, Match.paths("*/messages", "*/messages/*"));
        route(OPENAI, OPENAI, Match.paths("*/chat/completions", "*/completions", "*/responses", "*/responses/*"));
        route("anthropic-version", ANTHROPIC, new Match(List.of(), List.of(), "anthropic-version"));
        for (var upstream : List.of(OPENAI, ANTHROPIC, GEMINI)) {
            if (draft.upstreams.containsKey(upstream)) {
                route("other", upstream, Match.ALL);
                return;
            }
        }
    }

    private void route(String name, String upstream, Match match) {
        if (draft.upstreams.containsKey(upstream)) {
            draft.route(name, match, upstream);
        }
    }
}
