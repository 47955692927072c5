package io.millrace.bench.session;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.bench.stream.Lengths;
import io.millrace.bench.stream.Session;
import io.millrace.bench.stream.Session.Turn;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is read from traces of both forms, and what is made from distributions. */
class TraceTest {
    @TempDir
    private Path directory;

    private Trace read(String... lines) throws Exception {
        return Trace.read(Files.writeString(directory.resolve("trace.jsonl"), String.join("\n", lines)), true);
    }

    private static int words(Turn turn) {
        return turn.text().get().split(" ").length;
    }

    private static long ms(long ns) {
        return TimeUnit.NANOSECONDS.toMillis(ns);
    }

    @Test
    void aLineOfMooncakeIsASessionUnlessItNamesOne() throws Exception {
        var trace = read(
                "{\"timestamp\": 2000, \"input_length\": 1200, \"output_length\": 52, \"hash_ids\": [0, 1, 2]}",
                "{\"timestamp\": 500, \"session_id\": \"a\", \"input_length\": 300, \"output_length\": 20}",
                "{\"timestamp\": 1500, \"session_id\": \"a\", \"input_length\": 10, \"output_length\": 21}",
                "{\"delay\": 250, \"session_id\": \"a\", \"text_input\": \"and now\", \"output_length\": 22}");

        assertThat(trace.size()).isEqualTo(2);
        assertThat(trace.turns()).isEqualTo(4);
        assertThat(trace.startsNs()).containsExactly(0, TimeUnit.MILLISECONDS.toNanos(1500));
        var turns = trace.of(0).turns();
        assertThat(turns).extracting(Turn::maxTokens).containsExactly(20, 21, 22);
        assertThat(words(turns.get(0))).isEqualTo(300);
        assertThat(words(turns.get(1))).isEqualTo(10);
        assertThat(turns.get(2).text().get()).isEqualTo("and now");
        assertThat(ms(turns.get(1).afterDueNs())).isEqualTo(1000);
        assertThat(ms(turns.get(2).afterEndNs())).isEqualTo(250);
        assertThat(turns.get(2).afterDueNs()).isZero();
        assertThat(words(trace.of(1).turns().get(0))).isEqualTo(1200);
        assertThat(trace.of(2)).as("from the beginning again").isEqualTo(trace.of(0));
    }

    @Test
    void blocksWithOneHashHaveTheSameWords() throws Exception {
        var trace = read(
                "{\"timestamp\": 0, \"input_length\": 1100, \"output_length\": 1, \"hash_ids\": [7, 8, 9]}",
                "{\"timestamp\": 1, \"input_length\": 1100, \"output_length\": 1, \"hash_ids\": [7, 8, 10]}");

        String[] one = trace.of(0).turns().get(0).text().get().split(" ");
        String[] two = trace.of(1).turns().get(0).text().get().split(" ");
        assertThat(one).startsWith(Arrays.copyOf(two, 1024));
        assertThat(one).isNotEqualTo(two);
    }

    @Test
    void messagesOfALineAreTheWholePromptOrWhatIsNew() throws Exception {
        String tools = "[{\"type\":\"function\",\"function\":{\"name\":\"f\"}}]";
        var trace = read(
                "{\"timestamp\":0,\"session_id\":1,\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}],\"tools\":"
                        + tools + "}",
                "{\"timestamp\":9,\"session_id\":2,\"message_mode\":\"delta\",\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}");

        assertThat(trace.of(0).turns().get(0).isFresh()).isTrue();
        assertThat(trace.of(0).tools()).hasToString(tools);
        assertThat(trace.of(1).turns().get(0).isFresh()).isFalse();
    }

    @Test
    void aPromptOfAgentXGrowsByWhatIsNewAndASubagentIsASession() throws Exception {
        var trace = read("""
                {"id": "t1", "block_size": 64, "hash_id_scope": "local", "requests": [
                 {"t": 10, "type": "s", "model": "m", "in": 1000, "out": 50, "hash_ids": [1, 2], "stop": "tool_use"},
                 {"t": 12.5, "type": "n", "model": "m", "in": 1130, "out": 40, "stop": ""},
                 {"t": 13, "type": "subagent", "agent_id": "x", "requests": [
                   {"t": 0.5, "type": "n", "model": "m", "in": 200, "out": 9}]},
                 {"t": 20, "type": "n", "model": "m", "in": 1180, "out": 30, "think_time": 4, "input_types": ["text"]},
                 {"t": 30, "type": "n", "model": "m", "in": 500, "out": 20}]}
                """);

        assertThat(trace.size()).isEqualTo(2);
        assertThat(trace.startsNs()).containsExactly(0, TimeUnit.MILLISECONDS.toNanos(3500));
        var turns = trace.of(0).turns();
        assertThat(turns).extracting(TraceTest::words).containsExactly(1000, 80, 10, 500);
        assertThat(turns).extracting(Turn::isTool).containsExactly(false, true, false, false);
        assertThat(turns).extracting(Turn::isFresh).containsExactly(false, false, false, true);
        assertThat(ms(turns.get(1).afterDueNs())).isEqualTo(2500);
        assertThat(ms(turns.get(2).afterEndNs())).isEqualTo(4000);
        assertThat(turns.get(2).afterDueNs()).isZero();
        assertThat(words(trace.of(1).turns().get(0))).isEqualTo(200);
    }

    @Test
    void saysWhereATraceIsWrong() {
        assertThatThrownBy(() -> read("{\"timestamp\": 0, \"input_length\": 5}", "{\"timestamp\": 0}"))
                .hasMessageContaining("trace.jsonl:2: no prompt (expected: input_length, text_input or messages)");
        assertThatThrownBy(() -> read("{\"input_length\": 5, \"timestamp\": \"now\"}"))
                .hasMessageContaining("timestamp: \"now\" (expected: milliseconds)");
        assertThatThrownBy(() -> read("{\"input_length\": 5", "oops"))
                .hasMessageContaining("trace.jsonl:2: is no JSON");
        assertThatThrownBy(() -> read("")).hasMessageContaining("no session");
        assertThatThrownBy(() -> read("{\"requests\": [{\"t\": 1}]}"))
                .hasMessageContaining("a request without t or in");
    }

    @Test
    void sessionsAreMadeFromDistributionsTheSameForASeed() {
        var made = new MadeSessions(
                Lengths.parse("uniform:2-6"),
                Lengths.parse("20"),
                50,
                Delays.parse("1500ms"),
                0.5,
                Delays.parse("uniform:100ms-200ms"),
                7);

        var turns = made.of(3).turns();
        assertThat(turns).hasSizeBetween(2, 6).hasSameSizeAs(made.of(3).turns());
        assertThat(words(turns.get(0))).isEqualTo(70);
        String context =
                String.join(" ", Arrays.copyOf(turns.get(0).text().get().split(" "), 50));
        long tools = 0;
        long all = 0;
        for (int i = 0; i < 400; i++) {
            Session session = made.of(i);
            assertThat(session.turns().get(0).text().get()).startsWith(context);
            for (Turn turn : session.turns().subList(1, session.turns().size())) {
                all++;
                tools += turn.isTool() ? 1 : 0;
                assertThat(ms(turn.afterEndNs())).isBetween(turn.isTool() ? 100L : 1500L, turn.isTool() ? 200L : 1500L);
            }
        }
        assertThat((double) tools / all).isBetween(0.4, 0.6);
    }

    @Test
    void timesHaveUnits() {
        var random = new SplittableRandom(1);
        assertThat(Delays.parse("0s").nextNs(random)).isZero();
        assertThat(ms(Delays.parse("2m").nextNs(random))).isEqualTo(120_000);
        assertThat(ms(Delays.parse("normal:30m:0s").nextNs(random))).isEqualTo(1_800_000);
        for (String wrong : new String[] {"5", "exp:5", "2s-3s", "soon", "uniform:5s"}) {
            assertThatThrownBy(() -> Delays.parse(wrong)).as(wrong).hasMessageContaining(wrong + " (expected: TIME");
        }
    }
}
