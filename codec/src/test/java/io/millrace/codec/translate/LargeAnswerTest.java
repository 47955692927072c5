package io.millrace.codec.translate;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.management.ThreadMXBean;
import io.millrace.codec.dialect.Dialect;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Answers that are made to be expensive. Their translation has a cost proportional to their size, is counted, or fails.
 */
class LargeAnswerTest {
    private static final int MEGABYTE = 1024 * 1024;

    private final ByteBuf out = Unpooled.buffer();

    @AfterEach
    void release() {
        out.release();
    }

    @ParameterizedTest
    @EnumSource(names = "UNKNOWN", mode = EnumSource.Mode.EXCLUDE)
    void countTheIdsOfTheirCalls(Dialect client) {
        StreamTranslator translator = Recorded.streaming(client, Dialect.CHAT).stream();
        String id = "i".repeat(MEGABYTE);

        for (int call = 0; call < 20 && !translator.failed(); call++) {
            out.clear();
            feed(translator, call(call, id + call));
        }

        assertThat(translator.failed()).isTrue();
        assertThat(out.toString(StandardCharsets.UTF_8)).contains("has more than");
    }

    @Test
    void tellCallsOfTheSameIdApartWithoutTryingAllNamesForEach() {
        StreamTranslator translator = Recorded.streaming(Dialect.CHAT, Dialect.CHAT).stream();
        String id = "i".repeat(2048);
        int calls = 2000;
        long before = allocated();

        for (int call = 0; call < calls; call++) {
            out.clear();
            feed(translator, call(call, id));
        }

        assertThat(allocated() - before).isLessThan(500_000L * calls);
        assertThat(out.toString(StandardCharsets.UTF_8)).contains(id + "_" + calls + "\"");
    }

    @Test
    void countTheSourcesOfTextThatIsOpen() {
        StreamTranslator translator = Recorded.streaming(Dialect.CHAT, Dialect.MESSAGES).stream();
        ObjectNode json = Json.object().put("type", "content_block_delta").put("index", 0);
        json.putObject("delta")
                .put("type", "citations_delta")
                .putObject("citation")
                .put("url", "https://a")
                .put("title", "t".repeat(MEGABYTE));
        feed(translator, "{\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\"}}");
        long before = translator.heldBytes();

        feed(translator, json.toString());
        assertThat(translator.heldBytes() - before).isBetween(2L * MEGABYTE, 3L * MEGABYTE);
        for (int more = 0; more < 16; more++) {
            feed(translator, json.toString());
        }

        assertThat(translator.failed()).isTrue();
    }

    /** A piece finds its call directly, even if there are many calls. */
    @ParameterizedTest
    @ValueSource(strings = {"CHAT", "RESPONSES", "MESSAGES", "GEMINI", "functions"})
    void costTheSamePerPieceWithThousandsOfCalls(String client) {
        long few = Long.MAX_VALUE;
        long many = Long.MAX_VALUE;
        for (int round = 0; round < 6; round++) {
            few = Math.min(few, cpuOfPieces(client, 10));
            many = Math.min(many, cpuOfPieces(client, 4000));
        }

        assertThat(many).isLessThan(3 * few);
    }

    /** The CPU time of pieces for the last two of so many open calls, in nanoseconds. */
    private long cpuOfPieces(String client, int calls) {
        StreamTranslator translator = client.equals("functions")
                ? functions()
                : Recorded.streaming(Dialect.valueOf(client), Dialect.CHAT).stream();
        for (int call = 0; call < calls; call++) {
            out.clear();
            feed(translator, call(call, "c" + call).replace("1}", "\\\""));
        }
        ByteBuf[] pieces = new ByteBuf[2];
        for (int i = 0; i < pieces.length; i++) {
            pieces[i] =
                    Unpooled.wrappedBuffer(("data: {\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":"
                                    + (calls - 1 - i) + ",\"function\":{\"arguments\":\"more\"}}]}}]}\n\n")
                            .getBytes(StandardCharsets.UTF_8));
        }
        long begun = ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
        for (int piece = 0; piece < 4000; piece++) {
            out.clear();
            ByteBuf frame = pieces[piece % 2];
            translator.frame(frame, 0, frame.readableBytes(), out);
        }
        long took = ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime() - begun;
        assertThat(translator.failed()).isFalse();
        return took;
    }

    /** A translation for a client that asked with functions, not tools. */
    private static StreamTranslator functions() {
        Translation translation = Translation.of(Dialect.CHAT, Dialect.CHAT);
        String request = "{\"model\":\"m\",\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}],"
                + "\"functions\":[{\"name\":\"f\"}]}";
        translation.request(request.getBytes(StandardCharsets.UTF_8), Requests.path(Dialect.CHAT), null);
        return translation.stream();
    }

    private static String call(int index, String id) {
        return "{\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":" + index + ",\"id\":\"" + id
                + "\",\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"x\\\":1}\"}}]}}]}";
    }

    private void feed(StreamTranslator translator, String data) {
        byte[] frame = ("data: " + data + "\n\n").getBytes(StandardCharsets.UTF_8);
        translator.frame(Unpooled.wrappedBuffer(frame), 0, frame.length, out);
    }

    private static long allocated() {
        return ((ThreadMXBean) ManagementFactory.getThreadMXBean()).getCurrentThreadAllocatedBytes();
    }
}
