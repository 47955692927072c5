package io.millrace.it.clients;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** An SDK on this JVM. */
abstract class JavaSdk implements Sdk {
    static final String PROMPT = "Tell me about rivers.";
    static final String TOOL = "get_weather";
    /** The result of the tool in a round trip: the second request of an api whose name ends in {@code .tools}. */
    static final String RESULT = "18 degrees, light rain";

    static final String TOOL_DESCRIPTION = "The weather of a city now.";

    /** The JSON Schema of the tool's {@code properties}. */
    static final Map<String, Map<String, String>> TOOL_PROPERTIES = Map.of("city", Map.of("type", "string"));

    @Override
    public final Map<String, Seen> run(List<Scenario> scenarios) {
        var seen = new LinkedHashMap<String, Seen>();
        for (var scenario : scenarios) {
            seen.put(scenario.name(), run(scenario));
        }
        return seen;
    }

    private Seen run(Scenario scenario) {
        var recorder = new SeenRecorder(scenario.name());
        try {
            stream(scenario, recorder);
            return recorder.success();
        } catch (RuntimeException e) {
            return recorder.failure(e, statusOf(e));
        }
    }

    /** Streams one answer to its end; throws what the SDK throws. */
    abstract void stream(Scenario scenario, SeenRecorder recorder);

    /** The HTTP status that the SDK's error carries, or null. */
    abstract Integer statusOf(RuntimeException error);
}
