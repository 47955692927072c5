package io.millrace.bench.run;

import io.millrace.bench.stream.Endpoint;
import io.millrace.bench.stream.Lengths;
import io.millrace.bench.stream.Prompts;
import io.millrace.bench.stream.RequestTemplate;
import io.millrace.codec.dialect.Dialect;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Options for the endpoint and its requests. */
@SuppressWarnings("NullAway.Init") // picocli sets the options
final class TargetOptions {
    private static final int MOST_CONNECTIONS = 10_000;
    private static final String PROMPT = "Write a short essay about rivers.";

    @Option(
            names = "--url",
            paramLabel = "BASE",
            description =
                    "The base URL as an SDK takes it, such as http://127.0.0.1:8080/v1 or https://api.anthropic.com.")
    @Nullable
    String url;

    @Option(
            names = "--dialect",
            paramLabel = "NAME",
            description = "chat, responses, messages or gemini. Default: by the end of the URL, else chat.")
    private @Nullable String dialect;

    @Option(names = "--model", paramLabel = "NAME", defaultValue = "mock", description = "Default ${DEFAULT-VALUE}.")
    String model;

    @Option(
            names = "--api-key-env",
            paramLabel = "VARIABLE",
            description = "The environment variable that has the key; sent as the dialect's SDKs send it.")
    private @Nullable String keyVariable;

    @Option(names = "--prompt", paramLabel = "TEXT", description = "The prompt of every stream.")
    private @Nullable String prompt;

    @Option(
            names = "--prompts",
            paramLabel = "FILE",
            description = "Prompts, one per line: a text, or JSON with \"prompt\" or \"messages\", and \"max_tokens\".")
    private @Nullable Path promptFile;

    @Option(
            names = "--prompt-words",
            paramLabel = "LENGTH",
            description =
                    "Random prompts, a new one for each stream: 200, uniform:100-300, normal:200:50 or exp:200 words.")
    private @Nullable String promptWords;

    @Option(names = "--max-tokens", paramLabel = "N", description = "The most tokens of an answer.")
    private int maxTokens;

    @Option(names = "--header", paramLabel = "NAME: VALUE", description = "An additional header field.")
    private List<String> headers = List.of();

    @Option(
            names = "--body",
            paramLabel = "JSON",
            description = "Additional fields of the body, such as {\"temperature\":0}.")
    private List<String> body = List.of();

    @Option(names = "--no-usage", description = "Do not ask Chat for usage; tokens are then counted as frames.")
    private boolean noUsage;

    @Option(names = "--no-keep-alive", description = "A new connection for each stream.")
    private boolean noKeepAlive;

    @Option(
            names = "--http2",
            description =
                    "HTTP/2: by prior knowledge to an http URL, by ALPN to an https URL. Default: HTTP/1.1, with a"
                            + " connection for each stream in progress.")
    boolean http2;

    @Option(
            names = "--connections",
            paramLabel = "N",
            defaultValue = "1",
            description = "With --http2: so many connections carry all streams. Default ${DEFAULT-VALUE}.")
    private int connections;

    @Option(names = "--ca", paramLabel = "FILE", description = "PEM file with the only certificates to trust.")
    @Nullable
    Path ca;

    /** Makes the template of requests to {@code base}. */
    RequestTemplate template(String base, Map<String, String> environment) {
        var endpoint = Endpoint.of(base, dialect(dialect), model);
        var template = RequestTemplate.of(endpoint, model)
                .maxTokens(maxTokens)
                .asksUsage(!noUsage)
                .keepsAlive(!noKeepAlive)
                .http2(http2Connections())
                .key(key(environment));
        headers.forEach(template::header);
        body.forEach(template::body);
        return template.build();
    }

    Prompts prompts(long seed) throws IOException {
        int given = (prompt == null ? 0 : 1) + (promptFile == null ? 0 : 1) + (promptWords == null ? 0 : 1);
        if (given > 1) {
            throw new IllegalArgumentException("--prompt, --prompts, --prompt-words: more than one (expected: one)");
        }
        if (promptFile != null) {
            return Prompts.ofFile(promptFile);
        }
        if (promptWords != null) {
            return Prompts.synthetic(Lengths.parse(promptWords), seed);
        }
        return Prompts.fixed(prompt == null ? PROMPT : prompt);
    }

    private int http2Connections() {
        if (connections < 1 || connections > MOST_CONNECTIONS) {
            throw new IllegalArgumentException(
                    "--connections: " + connections + " (expected: 1-" + MOST_CONNECTIONS + ")");
        }
        if (!http2 && connections != 1) {
            throw new IllegalArgumentException("--connections: no --http2 (expected: both, or none)");
        }
        if (http2 && noKeepAlive) {
            throw new IllegalArgumentException("--http2 and --no-keep-alive (expected: one of them)");
        }
        return http2 ? connections : 0;
    }

    /** The protocol in words. */
    String protocolWords() {
        return http2 ? "HTTP/2 on " + connections + (connections == 1 ? " connection" : " connections") : "HTTP/1.1";
    }

    /** The length of each new message of sessions, which have no other prompts. */
    String wordsOfSessions(String otherwise) {
        if (prompt != null || promptFile != null) {
            throw new IllegalArgumentException("--turns: --prompt or --prompts (expected: --prompt-words)");
        }
        return promptWords == null ? otherwise : promptWords;
    }

    /** What is asked, in words. */
    String promptWords() {
        String what = promptFile != null
                ? "from " + promptFile
                : promptWords != null ? "made up, " + promptWords + " words" : prompt == null ? PROMPT : prompt;
        return what + (maxTokens > 0 ? "; at most " + maxTokens + " tokens" : "; no limit of tokens");
    }

    private @Nullable String key(Map<String, String> environment) {
        if (keyVariable == null) {
            return null;
        }
        String key = environment.get(keyVariable);
        if (key == null || key.isBlank()) {
            throw new IllegalArgumentException("--api-key-env: " + keyVariable + " is not set");
        }
        return key.strip();
    }

    private static @Nullable Dialect dialect(@Nullable String name) {
        try {
            return name == null ? null : Dialect.named(name);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("--dialect: " + e.getMessage(), e);
        }
    }
}
