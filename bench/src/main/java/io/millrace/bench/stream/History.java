package io.millrace.bench.stream;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.codec.dialect.Dialect;

/**
 * What was said in a conversation, as the messages of a dialect. A turn of a tool needs a call in the answer before it.
 * The model may not have made one, so the call of each such turn is made up.
 */
abstract class History {
    static final String TOOL = "run";
    /** For answers without text, because Messages refuses an empty one. */
    private static final String NO_TEXT = "(no text)";

    final ArrayNode messages = JsonNodeFactory.instance.arrayNode();
    private int calls;

    static History of(Dialect dialect) {
        return switch (dialect) {
            case MESSAGES -> new OfMessages();
            case RESPONSES -> new OfResponses();
            case GEMINI -> new OfGemini();
            case CHAT, UNKNOWN -> new OfChat();
        };
    }

    /** All messages. They change with the conversation. */
    final ArrayNode messages() {
        return messages;
    }

    final void clear() {
        messages.removeAll();
    }

    /** Adds a message as it is. */
    final void add(JsonNode message) {
        messages.add(message);
    }

    /** Adds a message of the user. */
    abstract void user(String text);

    /** Adds an answer; with a call if the result of a tool comes next. */
    final void answer(String text, boolean withCall) {
        String said = text.isEmpty() && !withCall ? NO_TEXT : text;
        if (withCall) {
            calls++;
        }
        answered(said, withCall);
    }

    /** Adds the result of the call of the last answer. */
    abstract void toolResult(String text);

    /** The tool that is called, as the dialect declares it. */
    abstract ArrayNode tools();

    abstract void answered(String text, boolean withCall);

    /** The id of the last call. */
    final String call() {
        return "call_" + calls;
    }

    private static ObjectNode noParameters() {
        var schema = JsonNodeFactory.instance.objectNode().put("type", "object");
        schema.putObject("properties");
        return schema;
    }

    /** The tool with its schema under this key. */
    private static ObjectNode tool(String schema) {
        return JsonNodeFactory.instance
                .objectNode()
                .put("name", TOOL)
                .put("description", "Runs a command.")
                .set(schema, noParameters());
    }

    private static ArrayNode listOf(JsonNode tool) {
        return JsonNodeFactory.instance.arrayNode().add(tool);
    }

    private static final class OfChat extends History {
        @Override
        void user(String text) {
            messages.addObject().put("role", "user").put("content", text);
        }

        @Override
        void answered(String text, boolean withCall) {
            var message = messages.addObject().put("role", "assistant").put("content", text);
            if (withCall) {
                message.putArray("tool_calls")
                        .addObject()
                        .put("id", call())
                        .put("type", "function")
                        .putObject("function")
                        .put("name", TOOL)
                        .put("arguments", "{}");
            }
        }

        @Override
        void toolResult(String text) {
            messages.addObject().put("role", "tool").put("tool_call_id", call()).put("content", text);
        }

        @Override
        ArrayNode tools() {
            var tool = JsonNodeFactory.instance.objectNode().put("type", "function");
            tool.set("function", tool("parameters"));
            return listOf(tool);
        }
    }

    private static final class OfMessages extends History {
        @Override
        void user(String text) {
            messages.addObject().put("role", "user").put("content", text);
        }

        @Override
        void answered(String text, boolean withCall) {
            var content = messages.addObject().put("role", "assistant").putArray("content");
            if (!text.isEmpty()) {
                content.addObject().put("type", "text").put("text", text);
            }
            if (withCall) {
                content.addObject()
                        .put("type", "tool_use")
                        .put("id", call())
                        .put("name", TOOL)
                        .putObject("input");
            }
        }

        @Override
        void toolResult(String text) {
            messages.addObject()
                    .put("role", "user")
                    .putArray("content")
                    .addObject()
                    .put("type", "tool_result")
                    .put("tool_use_id", call())
                    .put("content", text);
        }

        @Override
        ArrayNode tools() {
            return listOf(tool("input_schema"));
        }
    }

    private static final class OfResponses extends History {
        @Override
        void user(String text) {
            messages.addObject().put("role", "user").put("content", text);
        }

        @Override
        void answered(String text, boolean withCall) {
            if (!text.isEmpty()) {
                messages.addObject().put("role", "assistant").put("content", text);
            }
            if (withCall) {
                messages.addObject()
                        .put("type", "function_call")
                        .put("call_id", call())
                        .put("name", TOOL)
                        .put("arguments", "{}");
            }
        }

        @Override
        void toolResult(String text) {
            messages.addObject()
                    .put("type", "function_call_output")
                    .put("call_id", call())
                    .put("output", text);
        }

        @Override
        ArrayNode tools() {
            return listOf(tool("parameters").put("type", "function"));
        }
    }

    private static final class OfGemini extends History {
        @Override
        void user(String text) {
            messages.addObject()
                    .put("role", "user")
                    .putArray("parts")
                    .addObject()
                    .put("text", text);
        }

        @Override
        void answered(String text, boolean withCall) {
            var parts = messages.addObject().put("role", "model").putArray("parts");
            if (!text.isEmpty()) {
                parts.addObject().put("text", text);
            }
            if (withCall) {
                parts.addObject().putObject("functionCall").put("name", TOOL).putObject("args");
            }
        }

        @Override
        void toolResult(String text) {
            messages.addObject()
                    .put("role", "user")
                    .putArray("parts")
                    .addObject()
                    .putObject("functionResponse")
                    .put("name", TOOL)
                    .putObject("response")
                    .put("result", text);
        }

        @Override
        ArrayNode tools() {
            var declared = JsonNodeFactory.instance.objectNode();
            declared.set("functionDeclarations", listOf(tool("parameters")));
            return listOf(declared);
        }
    }
}
