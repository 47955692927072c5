package io.millrace.server.telemetry.otlp;

import static io.opentelemetry.api.common.AttributeKey.booleanKey;
import static io.opentelemetry.api.common.AttributeKey.doubleKey;
import static io.opentelemetry.api.common.AttributeKey.longKey;
import static io.opentelemetry.api.common.AttributeKey.stringArrayKey;
import static io.opentelemetry.api.common.AttributeKey.stringKey;

import io.millrace.server.telemetry.Readings;
import io.opentelemetry.api.common.AttributeKey;
import java.util.List;
import java.util.function.ToLongFunction;

/**
 * All names that are sent. Those that begin with {@code gen_ai} are of the semantic conventions for generative AI, version
 * 0.1.0, and may still change. Those that begin with {@code millrace} are the relay's own.
 */
final class Names {
    /** Who sends, and what measured it. */
    static final String SCOPE = "io.millrace";

    static final String SERVICE = "millrace";
    static final AttributeKey<String> SERVICE_NAME = stringKey("service.name");
    static final AttributeKey<String> SERVICE_VERSION = stringKey("service.version");
    static final AttributeKey<String> SERVICE_INSTANCE = stringKey("service.instance.id");

    static final String DURATION = "gen_ai.client.inference.duration";
    static final String FIRST_CHUNK = "gen_ai.client.inference.time_to_first_chunk";
    static final String OUTPUT_CHUNK = "gen_ai.client.inference.time_per_output_chunk";

    /**
     * A counter of tokens.
     *
     * @param help what it counts
     */
    record TokenCounter(String name, String help, ToLongFunction<Readings.Tokens> count) {}

    static final List<TokenCounter> TOKENS = List.of(
            new TokenCounter(
                    "gen_ai.client.inference.usage.input_tokens",
                    "Input tokens, including those of caches.",
                    Readings.Tokens::input),
            new TokenCounter(
                    "gen_ai.client.inference.usage.output_tokens",
                    "Output tokens, including those for reasoning.",
                    Readings.Tokens::output),
            new TokenCounter(
                    "gen_ai.client.inference.usage.cache_read.input_tokens",
                    "Input tokens that were read from a cache.",
                    Readings.Tokens::cached),
            new TokenCounter(
                    "gen_ai.client.inference.usage.cache_write.input_tokens",
                    "Input tokens that were written to a cache.",
                    Readings.Tokens::cacheWritten),
            new TokenCounter(
                    "gen_ai.client.inference.usage.reasoning.output_tokens",
                    "Output tokens for reasoning.",
                    Readings.Tokens::reasoning));

    static final AttributeKey<String> OPERATION = stringKey("gen_ai.operation.name");
    static final String CHAT = "chat";
    static final String TEXT_COMPLETION = "text_completion";
    static final String GENERATE_CONTENT = "generate_content";
    static final AttributeKey<String> PROVIDER = stringKey("gen_ai.provider.name");
    static final AttributeKey<String> REQUEST_MODEL = stringKey("gen_ai.request.model");
    static final AttributeKey<Boolean> REQUEST_STREAM = booleanKey("gen_ai.request.stream");
    static final AttributeKey<String> MODALITY = stringKey("gen_ai.token.modality");
    static final String UNKNOWN_MODALITY = "unknown";
    static final AttributeKey<String> RESPONSE_MODEL = stringKey("gen_ai.response.model");
    static final AttributeKey<List<String>> FINISH_REASONS = stringArrayKey("gen_ai.response.finish_reasons");
    static final AttributeKey<Double> FIRST_CHUNK_S = doubleKey("gen_ai.response.time_to_first_chunk");
    static final AttributeKey<Long> INPUT_TOKENS = longKey("gen_ai.usage.input_tokens");
    static final AttributeKey<Long> OUTPUT_TOKENS = longKey("gen_ai.usage.output_tokens");
    static final AttributeKey<Long> CACHED_TOKENS = longKey("gen_ai.usage.cache_read.input_tokens");
    static final AttributeKey<Long> CACHE_WRITE_TOKENS = longKey("gen_ai.usage.cache_write.input_tokens");
    static final AttributeKey<Long> REASONING_TOKENS = longKey("gen_ai.usage.reasoning.output_tokens");

    static final AttributeKey<String> SERVER_ADDRESS = stringKey("server.address");
    static final AttributeKey<Long> SERVER_PORT = longKey("server.port");
    static final AttributeKey<String> CLIENT_ADDRESS = stringKey("client.address");
    static final AttributeKey<String> METHOD = stringKey("http.request.method");
    static final AttributeKey<Long> STATUS = longKey("http.response.status_code");
    static final AttributeKey<Long> REQUEST_SIZE = longKey("http.request.body.size");
    static final AttributeKey<Long> RESPONSE_SIZE = longKey("http.response.body.size");
    static final AttributeKey<String> PATH = stringKey("url.path");
    static final AttributeKey<String> ERROR = stringKey("error.type");

    static final AttributeKey<String> REQUEST_ID = stringKey("millrace.request.id");
    static final AttributeKey<String> DIALECT = stringKey("millrace.dialect");
    static final AttributeKey<String> ROUTE = stringKey("millrace.route");
    static final AttributeKey<String> CLIENT = stringKey("millrace.client");
    static final AttributeKey<String> OUTCOME = stringKey("millrace.outcome");
    static final AttributeKey<Long> ATTEMPTS = longKey("millrace.attempts");
    static final AttributeKey<Long> ATTEMPT = longKey("millrace.attempt");
    static final AttributeKey<String> UPSTREAM = stringKey("millrace.upstream");
    static final AttributeKey<String> UPSTREAM_REQUEST_ID = stringKey("millrace.upstream.request.id");

    static final String EVENT_FIRST_OUTPUT = "millrace.first_output";
    static final String EVENT_ERROR = "millrace.error";

    private Names() {}
}
