package io.millrace.codec.translate;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.codec.dialect.Dialect;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The real requests of Codex CLI and Claude Code, turn by turn of a task with tools, for upstreams of each other
 * dialect. {@code scripts/agents --record} renews them.
 */
class AgentRequestsTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Path RECORDED = Path.of("src/test/resources/agents");
    private static final Set<String> CALLS = Set.of("function_call", "custom_tool_call", "tool_use");

    static Stream<Arguments> requests() throws IOException {
        try (var files = Files.list(RECORDED)) {
            return files.sorted().toList().stream()
                    .flatMap(file -> Recorded.dialects().stream()
                            .filter(upstream -> upstream != client(file))
                            .map(upstream -> Arguments.of(file.getFileName().toString(), upstream)));
        }
    }

    private static Dialect client(Path file) {
        return file.getFileName().toString().startsWith("claude") ? Dialect.MESSAGES : Dialect.RESPONSES;
    }

    @ParameterizedTest(name = "{0} {1}")
    @MethodSource("requests")
    void areServedInTheShapeThatTheUpstreamRequires(String file, Dialect upstream) throws IOException {
        JsonNode recorded = JSON.readTree(Files.readAllBytes(RECORDED.resolve(file)));
        JsonNode asked = recorded.path("body");

        TranslatedRequest sent = Translation.of(client(Path.of(file)), upstream)
                .request(JSON.writeValueAsBytes(asked), recorded.path("uri").asText(), "a-model");

        assertThat(sent.stream()).isTrue();
        UpstreamShape.Found found = UpstreamShape.of(upstream).verify(JSON.readTree(sent.body()));
        var tools = new ArrayList<String>();
        addTools(asked, tools);
        assertThat(tools).isNotEmpty().doesNotHaveDuplicates();
        for (String tool : tools) {
            assertThat(found.tools()).as(tool).anyMatch(name -> name.endsWith(tool));
        }
        assertThat(found.tools()).hasSameSizeAs(tools);
        List<String> called = called(asked);
        assertThat(found.called()).hasSameSizeAs(called);
        for (int i = 0; i < called.size(); i++) {
            assertThat(found.called().get(i)).endsWith(called.get(i));
        }
        assertThat(found.results()).isEqualTo(called.size());
    }

    /** Every turn of a task with tools is there: one without a call, one with one call, one with three. */
    @Test
    void coverEachTurnOfATask() throws IOException {
        for (String agent : List.of("claude-code", "codex", "codex-gpt-6")) {
            var calls = new HashSet<Integer>();
            for (int turn = 1; turn <= 3; turn++) {
                byte[] body = Files.readAllBytes(RECORDED.resolve(agent + "-" + turn + ".json"));
                calls.add(called(JSON.readTree(body).path("body")).size());
            }
            assertThat(calls).as(agent).containsExactlyInAnyOrder(0, 1, 3);
        }
    }

    /** The tools that the agent itself runs. */
    private static void addTools(JsonNode holder, List<String> names) {
        for (JsonNode tool : holder.path("tools")) {
            if (tool.has("tools")) {
                addTools(tool, names);
            } else if (tool.has("name")) {
                names.add(tool.path("name").asText());
            }
        }
        for (JsonNode item : holder.path("input")) {
            if (item.path("type").asText().equals("additional_tools")) {
                addTools(item, names);
            }
        }
    }

    private static List<String> called(JsonNode asked) {
        var called = new ArrayList<String>();
        for (JsonNode item : asked.path("input")) {
            addCall(item, called);
        }
        for (JsonNode message : asked.path("messages")) {
            message.path("content").forEach(block -> addCall(block, called));
        }
        return called;
    }

    private static void addCall(JsonNode item, List<String> called) {
        if (CALLS.contains(item.path("type").asText())) {
            called.add(item.path("name").asText());
        }
    }
}
