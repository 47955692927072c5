package io.millrace.server.config;

import java.net.URI;
import java.util.Locale;

/** Whose conventions an upstream follows for its credential. */
enum ProviderKind {
    /** OpenAI and what is compatible with it. */
    OPENAI("authorization", "Bearer "),
    ANTHROPIC("x-api-key", ""),
    /** OpenAI's models at Microsoft. */
    AZURE("api-key", ""),
    GEMINI("x-goog-api-key", ""),
    /** The header is given by the configuration. */
    NONE(null, "");

    final String header;
    final String prefix;

    ProviderKind(String header, String prefix) {
        this.header = header;
        this.prefix = prefix;
    }

    /** As configuration writes it. */
    String label() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** The provider whose host it is; OpenAI's conventions for all others. */
    static ProviderKind of(URI url) {
        String host = url == null || url.getHost() == null ? "" : url.getHost().toLowerCase(Locale.ROOT);
        if (host.equals("anthropic.com") || host.endsWith(".anthropic.com")) {
            return ANTHROPIC;
        }
        if (host.endsWith(".openai.azure.com")) {
            return AZURE;
        }
        return host.equals("generativelanguage.googleapis.com") ? GEMINI : OPENAI;
    }
}
