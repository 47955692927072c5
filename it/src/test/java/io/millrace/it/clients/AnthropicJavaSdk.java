package io.millrace.it.clients;

import com.anthropic.client.AnthropicClient;
import com.anthropic.client.okhttp.AnthropicOkHttpClient;
import com.anthropic.core.JsonValue;
import com.anthropic.errors.AnthropicServiceException;
import com.anthropic.helpers.MessageAccumulator;
import com.anthropic.models.messages.ContentBlockParam;
import com.anthropic.models.messages.MessageCreateParams;
import com.anthropic.models.messages.RawMessageStreamEvent;
import com.anthropic.models.messages.Tool;
import com.anthropic.models.messages.ToolResultBlockParam;
import java.util.concurrent.atomic.AtomicLong;

/** {@code anthropic-java}: Messages, with and without the SDK's accumulator. */
final class AnthropicJavaSdk extends JavaSdk {
    private final TestTls tls;

    AnthropicJavaSdk() {
        this(null);
    }

    /** An SDK that trusts the authority of {@code tls}, unless that is null. */
    AnthropicJavaSdk(TestTls tls) {
        this.tls = tls;
    }

    @Override
    void stream(Scenario scenario, SeenRecorder seen) {
        var builder = AnthropicOkHttpClient.builder()
                .baseUrl(scenario.baseUrl())
                .apiKey("sk-client")
                .maxRetries(0);
        if (tls != null) {
            builder.sslSocketFactory(tls.client().getSocketFactory()).trustManager(tls.trust());
        }
        var client = builder.build();
        try {
            switch (scenario.api()) {
                case "messages" -> messages(client, scenario, seen);
                case "messages.helper" -> messagesHelper(client, scenario, seen);
                case "messages.tools" -> messagesTools(client, scenario, seen);
                default -> throw new IllegalArgumentException("no such api: " + scenario.api());
            }
        } finally {
            client.close();
        }
    }

    @Override
    Integer statusOf(RuntimeException error) {
        return error instanceof AnthropicServiceException service ? (Integer) service.statusCode() : null;
    }

    private static void messages(AnthropicClient client, Scenario scenario, SeenRecorder seen) {
        var inputTokens = new AtomicLong();
        try (var stream = client.messages().createStreaming(request(scenario))) {
            stream.stream().forEach(event -> event(event, inputTokens, seen));
        }
    }

    private static void messagesHelper(AnthropicClient client, Scenario scenario, SeenRecorder seen) {
        var inputTokens = new AtomicLong();
        var accumulator = MessageAccumulator.create();
        try (var stream = client.messages().createStreaming(request(scenario))) {
            stream.stream().peek(accumulator::accumulate).forEach(event -> event(event, inputTokens, seen));
        }
        var message = accumulator.message();
        seen.usage(message.usage().inputTokens(), message.usage().outputTokens());
        message.stopReason().ifPresent(reason -> seen.finish(reason.asString()));
    }

    private static void messagesTools(AnthropicClient client, Scenario scenario, SeenRecorder seen) {
        var inputTokens = new AtomicLong();
        var accumulator = MessageAccumulator.create();
        var first = request(scenario);
        try (var stream = client.messages().createStreaming(first)) {
            stream.stream().peek(accumulator::accumulate).forEach(event -> event(event, inputTokens, seen));
        }
        var message = accumulator.message();
        var results = message.content().stream()
                .flatMap(block -> block.toolUse().stream())
                .map(call -> ContentBlockParam.ofToolResult(ToolResultBlockParam.builder()
                        .toolUseId(call.id())
                        .content(RESULT)
                        .build()))
                .toList();
        var second = first.toBuilder().addMessage(message).addUserMessageOfContentBlockParams(results);
        try (var stream = client.messages().createStreaming(second.build())) {
            stream.stream().forEach(event -> event(event, inputTokens, seen));
        }
    }

    private static MessageCreateParams request(Scenario scenario) {
        var request = MessageCreateParams.builder()
                .model(scenario.model())
                .maxTokens(1024)
                .addUserMessage(PROMPT);
        if (scenario.tools()) {
            request.addTool(Tool.builder()
                    .name(TOOL)
                    .description(TOOL_DESCRIPTION)
                    .inputSchema(Tool.InputSchema.builder()
                            .properties(Tool.InputSchema.Properties.builder()
                                    .putAdditionalProperty("city", JsonValue.from(TOOL_PROPERTIES.get("city")))
                                    .build())
                            .build())
                    .build());
        }
        return request.build();
    }

    private static void event(RawMessageStreamEvent event, AtomicLong inputTokens, SeenRecorder seen) {
        event.messageStart()
                .ifPresent(start -> inputTokens.set(start.message().usage().inputTokens()));
        event.contentBlockStart()
                .ifPresent(start ->
                        start.contentBlock().toolUse().ifPresent(call -> seen.toolName(start.index(), call.name())));
        event.contentBlockDelta().ifPresent(block -> {
            block.delta().text().ifPresent(delta -> seen.delta(delta.text()));
            block.delta().inputJson().ifPresent(delta -> seen.toolArguments(block.index(), delta.partialJson()));
        });
        event.messageDelta().ifPresent(last -> {
            last.delta().stopReason().ifPresent(reason -> seen.finish(reason.asString()));
            seen.usage(
                    last.usage().inputTokens().orElseGet(inputTokens::get),
                    last.usage().outputTokens());
        });
    }
}
