package io.millrace.it.clients;

import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.core.JsonValue;
import com.openai.errors.OpenAIServiceException;
import com.openai.helpers.ChatCompletionAccumulator;
import com.openai.helpers.ResponseAccumulator;
import com.openai.models.FunctionDefinition;
import com.openai.models.FunctionParameters;
import com.openai.models.chat.completions.ChatCompletionChunk;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import com.openai.models.chat.completions.ChatCompletionFunctionTool;
import com.openai.models.chat.completions.ChatCompletionStreamOptions;
import com.openai.models.chat.completions.ChatCompletionToolMessageParam;
import com.openai.models.responses.EasyInputMessage;
import com.openai.models.responses.FunctionTool;
import com.openai.models.responses.Response;
import com.openai.models.responses.ResponseCreateParams;
import com.openai.models.responses.ResponseInputItem;
import com.openai.models.responses.ResponseRetrieveParams;
import com.openai.models.responses.ResponseStreamEvent;
import java.util.ArrayList;

/** {@code openai-java}: Chat Completions and Responses, each with and without the SDK's accumulator. */
final class OpenAiJavaSdk extends JavaSdk {
    private final TestTls tls;

    OpenAiJavaSdk() {
        this(null);
    }

    /** An SDK that trusts the authority of {@code tls}, unless that is null. */
    OpenAiJavaSdk(TestTls tls) {
        this.tls = tls;
    }

    @Override
    void stream(Scenario scenario, SeenRecorder seen) {
        var builder = OpenAIOkHttpClient.builder()
                .baseUrl(scenario.baseUrl() + "/v1")
                .apiKey("sk-client")
                .maxRetries(0);
        if (tls != null) {
            builder.sslSocketFactory(tls.client().getSocketFactory()).trustManager(tls.trust());
        }
        var client = builder.build();
        try {
            switch (scenario.api()) {
                case "chat" -> chat(client, scenario, seen);
                case "chat.helper" -> chatHelper(client, scenario, seen);
                case "chat.tools" -> chatTools(client, scenario, seen);
                case "responses" -> responses(client, scenario, seen);
                case "responses.helper" -> responsesHelper(client, scenario, seen);
                case "responses.resumed" -> responsesResumed(client, scenario, seen);
                case "responses.tools" -> responsesTools(client, scenario, seen);
                default -> throw new IllegalArgumentException("no such api: " + scenario.api());
            }
        } finally {
            client.close();
        }
    }

    @Override
    Integer statusOf(RuntimeException error) {
        return error instanceof OpenAIServiceException service ? (Integer) service.statusCode() : null;
    }

    private static void chat(OpenAIClient client, Scenario scenario, SeenRecorder seen) {
        try (var stream = client.chat().completions().createStreaming(chatRequest(scenario))) {
            stream.stream().forEach(chunk -> chunk(chunk, seen));
        }
    }

    private static void chatHelper(OpenAIClient client, Scenario scenario, SeenRecorder seen) {
        var accumulator = ChatCompletionAccumulator.create();
        try (var stream = client.chat().completions().createStreaming(chatRequest(scenario))) {
            stream.stream().peek(accumulator::accumulate).forEach(chunk -> chunk(chunk, seen));
        }
        seen.finish(accumulator.chatCompletion().choices().get(0).finishReason().asString());
    }

    private static void chatTools(OpenAIClient client, Scenario scenario, SeenRecorder seen) {
        var accumulator = ChatCompletionAccumulator.create();
        var first = chatRequest(scenario);
        try (var stream = client.chat().completions().createStreaming(first)) {
            stream.stream().peek(accumulator::accumulate).forEach(chunk -> chunk(chunk, seen));
        }
        var message = accumulator.chatCompletion().choices().get(0).message();
        var second = first.toBuilder().addMessage(message);
        for (var call : message.toolCalls().orElseThrow()) {
            second.addMessage(ChatCompletionToolMessageParam.builder()
                    .toolCallId(call.asFunction().id())
                    .content(RESULT)
                    .build());
        }
        try (var stream = client.chat().completions().createStreaming(second.build())) {
            stream.stream().forEach(chunk -> chunk(chunk, seen));
        }
    }

    private static ChatCompletionCreateParams chatRequest(Scenario scenario) {
        var request = ChatCompletionCreateParams.builder()
                .model(scenario.model())
                .streamOptions(
                        ChatCompletionStreamOptions.builder().includeUsage(true).build())
                .addUserMessage(PROMPT);
        if (scenario.tools()) {
            request.addTool(ChatCompletionFunctionTool.builder()
                    .function(FunctionDefinition.builder()
                            .name(TOOL)
                            .description(TOOL_DESCRIPTION)
                            .parameters(FunctionParameters.builder()
                                    .putAdditionalProperty("type", JsonValue.from("object"))
                                    .putAdditionalProperty("properties", JsonValue.from(TOOL_PROPERTIES))
                                    .build())
                            .build())
                    .build());
        }
        return request.build();
    }

    private static void chunk(ChatCompletionChunk chunk, SeenRecorder seen) {
        for (var choice : chunk.choices()) {
            choice.delta().content().ifPresent(seen::delta);
            choice.delta()
                    .toolCalls()
                    .ifPresent(calls -> calls.forEach(call -> call.function().ifPresent(function -> {
                        function.name().ifPresent(name -> seen.toolName(call.index(), name));
                        function.arguments().ifPresent(piece -> seen.toolArguments(call.index(), piece));
                    })));
            choice.finishReason().ifPresent(reason -> seen.finish(reason.asString()));
        }
        chunk.usage().ifPresent(usage -> seen.usage(usage.promptTokens(), usage.completionTokens()));
    }

    private static void responses(OpenAIClient client, Scenario scenario, SeenRecorder seen) {
        try (var stream = client.responses().createStreaming(responsesRequest(scenario))) {
            stream.stream().forEach(event -> event(event, seen));
        }
    }

    /** Leaves the stream in its middle, and goes on behind the last event that it had. */
    private static void responsesResumed(OpenAIClient client, Scenario scenario, SeenRecorder seen) {
        String id = null;
        long last = -1;
        try (var stream = client.responses().createStreaming(responsesRequest(scenario))) {
            var events = stream.stream().iterator();
            for (int deltas = 0; deltas < 3; ) {
                ResponseStreamEvent event = events.next();
                event(event, seen);
                id = event.created().map(created -> created.response().id()).orElse(id);
                if (event.isOutputTextDelta()) {
                    last = event.asOutputTextDelta().sequenceNumber();
                    deltas++;
                }
            }
        }
        var rest = ResponseRetrieveParams.builder().responseId(id).startingAfter(last);
        try (var stream = client.responses().retrieveStreaming(rest.build())) {
            stream.stream().forEach(event -> event(event, seen));
        }
    }

    private static void responsesHelper(OpenAIClient client, Scenario scenario, SeenRecorder seen) {
        var accumulator = ResponseAccumulator.create();
        try (var stream = client.responses().createStreaming(responsesRequest(scenario))) {
            stream.stream().peek(accumulator::accumulate).forEach(event -> event(event, seen));
        }
        end(accumulator.response(), seen);
    }

    private static void responsesTools(OpenAIClient client, Scenario scenario, SeenRecorder seen) {
        var accumulator = ResponseAccumulator.create();
        var first = responsesRequest(scenario);
        try (var stream = client.responses().createStreaming(first)) {
            stream.stream().peek(accumulator::accumulate).forEach(event -> event(event, seen));
        }
        var turns = new ArrayList<ResponseInputItem>();
        turns.add(ResponseInputItem.ofEasyInputMessage(EasyInputMessage.builder()
                .role(EasyInputMessage.Role.USER)
                .content(PROMPT)
                .build()));
        for (var item : accumulator.response().output()) {
            item.functionCall().ifPresent(call -> {
                turns.add(ResponseInputItem.ofFunctionCall(call));
                turns.add(ResponseInputItem.ofFunctionCallOutput(ResponseInputItem.FunctionCallOutput.builder()
                        .callId(call.callId())
                        .output(RESULT)
                        .build()));
            });
        }
        var second = first.toBuilder().inputOfResponse(turns).build();
        try (var stream = client.responses().createStreaming(second)) {
            stream.stream().forEach(event -> event(event, seen));
        }
    }

    private static ResponseCreateParams responsesRequest(Scenario scenario) {
        var request = ResponseCreateParams.builder().model(scenario.model()).input(PROMPT);
        if (scenario.tools()) {
            request.addTool(FunctionTool.builder()
                    .name(TOOL)
                    .description(TOOL_DESCRIPTION)
                    .strict(false)
                    .parameters(FunctionTool.Parameters.builder()
                            .putAdditionalProperty("type", JsonValue.from("object"))
                            .putAdditionalProperty("properties", JsonValue.from(TOOL_PROPERTIES))
                            .build())
                    .build());
        }
        return request.build();
    }

    private static void event(ResponseStreamEvent event, SeenRecorder seen) {
        event.outputTextDelta().ifPresent(delta -> seen.delta(delta.delta()));
        event.outputItemAdded()
                .ifPresent(added ->
                        added.item().functionCall().ifPresent(call -> seen.toolName(added.outputIndex(), call.name())));
        event.functionCallArgumentsDelta().ifPresent(delta -> seen.toolArguments(delta.outputIndex(), delta.delta()));
        event.completed().ifPresent(last -> end(last.response(), seen));
        event.incomplete().ifPresent(last -> end(last.response(), seen));
        event.failed().ifPresent(last -> end(last.response(), seen));
    }

    private static void end(Response response, SeenRecorder seen) {
        response.status().ifPresent(status -> seen.finish(status.asString()));
        response.usage().ifPresent(usage -> seen.usage(usage.inputTokens(), usage.outputTokens()));
    }
}
