package io.millrace.server.telemetry.otlp;

import io.millrace.codec.dialect.Dialect;
import io.millrace.server.config.Upstream;
import io.opentelemetry.api.common.AttributesBuilder;
import java.net.URI;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What the conventions for generative AI call an upstream. */
final class Provider {
    private static final String SOCKET = "unix:";

    /** By the end of the host's name. */
    private static final Map<String, String> HOSTS = Map.ofEntries(
            Map.entry("anthropic.com", "anthropic"),
            Map.entry("openai.azure.com", "azure.ai.openai"),
            Map.entry("services.ai.azure.com", "azure.ai.inference"),
            Map.entry("openai.com", "openai"),
            Map.entry("generativelanguage.googleapis.com", "gcp.gemini"),
            Map.entry("aiplatform.googleapis.com", "gcp.vertex_ai"),
            Map.entry("cohere.com", "cohere"),
            Map.entry("deepseek.com", "deepseek"),
            Map.entry("groq.com", "groq"),
            Map.entry("mistral.ai", "mistral_ai"),
            Map.entry("moonshot.ai", "moonshot_ai"),
            Map.entry("perplexity.ai", "perplexity"),
            Map.entry("x.ai", "x_ai"));

    private Provider() {}

    /**
     * The name of the provider: that of its host, otherwise of the first to use its dialect.
     *
     * @param upstream null if the configuration has it no longer
     * @param name of the upstream; is told if nothing else is known
     * @param dialect of the request, such as {@code messages}; null takes the upstream's
     */
    static String name(@Nullable Upstream upstream, String name, @Nullable String dialect) {
        String byHost = upstream == null ? null : ofHost(upstream.url().getHost());
        if (byHost != null) {
            return byHost;
        }
        return switch (dialect == null ? dialect(upstream) : dialect) {
            case "chat", "responses" -> "openai";
            case "messages" -> "anthropic";
            case "gemini" -> "gcp.gemini";
            default -> name;
        };
    }

    /** What requests to an upstream ask for, as far as its first dialect tells it. */
    static String operation(@Nullable Upstream upstream) {
        return dialect(upstream).equals(Dialect.GEMINI.label()) ? Names.GENERATE_CONTENT : Names.CHAT;
    }

    /**
     * What a request asks for; null if its dialect is not known.
     *
     * @param dialect of the request to the upstream, such as {@code messages}
     * @param path of the client's request: the legacy completions have the dialect of chat
     */
    static @Nullable String operation(String dialect, @Nullable String path) {
        if (dialect.equals(Dialect.UNKNOWN.label())) {
            return null;
        }
        if (dialect.equals(Dialect.GEMINI.label())) {
            return Names.GENERATE_CONTENT;
        }
        boolean legacy = dialect.equals(Dialect.CHAT.label())
                && path != null
                && path.endsWith("/completions")
                && !path.endsWith("/chat/completions");
        return legacy ? Names.TEXT_COMPLETION : Names.CHAT;
    }

    /** Adds host and port of an upstream's {@code origin}, or the path of its unix socket. */
    static void addServer(AttributesBuilder to, URI origin) {
        Upstream only = Upstream.of("origin", origin);
        String host = only.host();
        if (host.startsWith(SOCKET)) {
            to.put(Names.SERVER_ADDRESS, host.substring(SOCKET.length()));
        } else {
            to.put(Names.SERVER_ADDRESS, host).put(Names.SERVER_PORT, only.port());
        }
    }

    private static String dialect(@Nullable Upstream upstream) {
        List<Dialect> spoken = upstream == null ? List.of() : upstream.dialects();
        return spoken.isEmpty() ? "" : spoken.get(0).label();
    }

    private static @Nullable String ofHost(@Nullable String host) {
        String rest = host == null ? "" : host.toLowerCase(Locale.ROOT);
        while (!rest.isEmpty()) {
            String known = HOSTS.get(rest);
            if (known != null) {
                return known;
            }
            int dot = rest.indexOf('.');
            rest = dot < 0 ? "" : rest.substring(dot + 1);
        }
        return null;
    }
}
