package io.millrace.server.config;

import io.millrace.codec.dialect.Dialect;
import java.net.URI;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** The provider whose conventions for credentials an upstream follows. */
public enum ProviderKind {
    /** OpenAI and compatible servers. */
    OPENAI("authorization", "Bearer ", Dialect.CHAT),
    /** Anthropic. */
    ANTHROPIC("x-api-key", "", Dialect.MESSAGES),
    /** OpenAI's models on Azure. */
    AZURE("api-key", "", Dialect.CHAT),
    /** Google's Gemini. */
    GEMINI("x-goog-api-key", "", Dialect.GEMINI),
    /** The header is given by the configuration. */
    NONE(null, "", Dialect.CHAT);

    /** The header that carries the key; null if the configuration names it. */
    public final @Nullable String header;
    /** The text before the key in that header. */
    public final String prefix;
    /** The main dialect of its servers. */
    public final Dialect dialect;

    ProviderKind(@Nullable String header, String prefix, Dialect dialect) {
        this.header = header;
        this.prefix = prefix;
        this.dialect = dialect;
    }

    /** The provider that has this host, else the provider of the first of {@code dialects}. */
    public static ProviderKind of(URI url, List<Dialect> dialects) {
        ProviderKind kind = of(url);
        if (kind != OPENAI || dialects.isEmpty()) {
            return kind;
        }
        return switch (dialects.get(0)) {
            case MESSAGES -> ANTHROPIC;
            case GEMINI -> GEMINI;
            case CHAT, RESPONSES, UNKNOWN -> OPENAI;
        };
    }

    /** The provider that has this host. All other hosts follow OpenAI's conventions. */
    public static ProviderKind of(URI url) {
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
