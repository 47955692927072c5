package io.millrace.it.clients;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.millrace.codec.dialect.Dialect;
import io.millrace.server.test.RawClient;
import java.io.IOException;
import java.net.URI;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;

/** How clients that are not installed here decode an event stream, where heartbeats matter to them. */
enum DescribedClient implements Sdk {
    /** A block without fields is skipped. After an {@code id} there is no such block, because the id stays. */
    OPENAI_PYTHON {
        @Override
        void decode(String body, BiConsumer<String, String> event) {
            decodeBlocks(body, true, event);
        }
    },
    /** The same if the server numbers its frames. */
    OPENAI_PYTHON_AFTER_ID {
        @Override
        void decode(String body, BiConsumer<String, String> event) {
            decodeBlocks(body.replaceAll("(?m)^data:", "id: 1\ndata:"), true, event);
        }
    },
    /** Every blank line is an event, also after nothing. */
    OLDER_GO {
        @Override
        void decode(String body, BiConsumer<String, String> event) {
            decodeBlocks(body, false, event);
        }
    },
    /** Reads events by their name. Ignores those without a name and those called ping. */
    ANTHROPIC_PYTHON {
        @Override
        void decode(String body, BiConsumer<String, String> event) {
            decodeBlocks(body, true, (name, data) -> {
                if (name != null && !name.equals("ping")) {
                    event.accept(name, data);
                }
            });
        }
    },
    /** Takes each line that does not begin with {@code data: } for a part of a JSON text, until its braces match. */
    GENAI_PYTHON {
        @Override
        void decode(String body, BiConsumer<String, String> event) {
            for (String line : body.lines().toList()) {
                if (!line.isEmpty()) {
                    event.accept(null, line.startsWith("data: ") ? line.substring(6) : line);
                }
            }
        }
    },
    /** Cuts at blank lines and takes the pieces that begin like a frame of the dialect. */
    BY_HAND {
        @Override
        void decode(String body, BiConsumer<String, String> event) {
            for (String piece : body.split("\n\n", -1)) {
                if (piece.startsWith("data: ") || piece.startsWith("event: ")) {
                    event.accept(null, piece.substring(piece.indexOf("data: ") + 6));
                }
            }
        }
    };

    private static final JsonMapper JSON = new JsonMapper();

    /** Passes each event's name, or null, and its data on. */
    abstract void decode(String body, BiConsumer<String, String> event);

    @Override
    public Map<String, Seen> run(List<Scenario> scenarios) {
        var seen = new LinkedHashMap<String, Seen>();
        scenarios.forEach(scenario -> seen.put(scenario.name(), run(scenario)));
        return seen;
    }

    private Seen run(Scenario scenario) {
        var recorder = new SeenRecorder(scenario.name());
        try (var client = new RawClient(URI.create(scenario.baseUrl()).getPort())) {
            client.post(Dialect.named(scenario.api()).operation(scenario.model()), scenario.model(), "");
            decode(client.readAll().text(), (name, data) -> {
                if (!data.startsWith("[DONE]")) {
                    read(scenario.api(), data, recorder);
                }
            });
            return recorder.success();
        } catch (IOException | IllegalStateException e) {
            return recorder.failure(e, null);
        }
    }

    /** Reads an event as its user would: by the fields that every event of the dialect has. */
    private static void read(String api, String data, SeenRecorder seen) {
        JsonNode json;
        try {
            json = JSON.readTree(data);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("not JSON: " + data, e);
        }
        if (!json.isObject()) {
            throw new IllegalStateException("not an object: " + data);
        }
        switch (api) {
            case "chat" -> {
                if (!json.has("choices")) {
                    throw new IllegalStateException("a chunk without choices: " + data);
                }
                seen.delta(json.at("/choices/0/delta/content").asText());
            }
            case "responses" -> seen.delta(json.path("delta").asText());
            case "messages" -> seen.delta(json.at("/delta/text").asText());
            default -> seen.delta(json.at("/candidates/0/content/parts/0/text").asText());
        }
    }

    /** The decoder that many SDKs share, which works line by line. */
    private static void decodeBlocks(String body, boolean skipsEmpty, BiConsumer<String, String> event) {
        String name = null;
        String id = null;
        var data = new StringBuilder();
        for (String line : body.lines().toList()) {
            if (line.isEmpty()) {
                if (!skipsEmpty || name != null || id != null || !data.isEmpty()) {
                    event.accept(name, data.toString());
                }
                name = null;
                data.setLength(0);
            } else if (line.startsWith("event: ")) {
                name = line.substring(7);
            } else if (line.startsWith("id: ")) {
                id = line.substring(4);
            } else if (line.startsWith("data: ")) {
                data.append(line, 6, line.length());
            }
        }
    }
}
