package io.millrace.server.replay;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class StreamNamesTest {
    private static final byte[] ALICE = {1};
    private static final byte[] BOB = {2};
    private static final String CREATED =
            "event: response.created\ndata: {\"type\":\"response.created\",\"sequence_number\":0,\"response\":{\"id\":\"resp_1\",\"object\":\"response\",\"model\":\"m\"}}\n\n";

    private final StreamNames names = new StreamNames();

    @Test
    void anotherClientFindsNothingByTheSameName() {
        names.answer(StreamNames.ofAnswer(ALICE, "resp_1"), "0-a");
        assertThat(names.find(StreamNames.ofAnswer(ALICE, "resp_1"))).isEqualTo("0-a");
        assertThat(names.find(StreamNames.ofAnswer(BOB, "resp_1"))).isNull();
        assertThat(names.find(StreamNames.ofAnswer(ALICE, "resp_2"))).isNull();
    }

    @Test
    void aNameStaysWithItsFirstStreamUntilThatLetsItGo() {
        String name = StreamNames.ofAnswer(ALICE, "resp_1");
        names.answer(name, "0-a");
        names.answer(name, "1-b");
        names.remove(name, "1-b");
        assertThat(names.find(name)).isEqualTo("0-a");
        names.remove(name, "0-a");
        assertThat(names.find(name)).isNull();
        assertThat(names.size()).isZero();
    }

    @Test
    void ofManyClaimsAtOnceOneIsFirst() {
        var key = new OnceKey("scope", "content");
        var first = new AtomicInteger();
        List<StreamNames.@Nullable Named> others = IntStream.range(0, 1000)
                .parallel()
                .mapToObj(i -> {
                    StreamNames.Named named = names.claim(key, "0-" + i);
                    first.addAndGet(named == null ? 1 : 0);
                    return named;
                })
                .filter(named -> named != null)
                .distinct()
                .toList();
        assertThat(first).hasValue(1);
        assertThat(others)
                .singleElement()
                .satisfies(named -> assertThat(named.content()).isEqualTo("content"));
        assertThat(names.claim(new OnceKey("scope", "other"), "0-x").content()).isEqualTo("content");
    }

    /** The id is found wherever reads end, and after heartbeats. */
    @ParameterizedTest
    @ValueSource(ints = {1, 30, 1000})
    void findsTheIdInTheFirstFrame(int read) {
        String stream = ": ping\n\n".repeat(20) + CREATED + CREATED.replace("resp_1", "resp_2");
        assertThat(idIn(stream, read)).isEqualTo("resp_1");
    }

    @Test
    void givesUpAStreamWithoutId() {
        String other = "data: {\"type\":\"response.output_text.delta\",\"sequence_number\":1,\"delta\":\"a\"}\n\n";
        assertThat(idIn(other.repeat(8) + CREATED, 100)).isNull();
    }

    private static @Nullable String idIn(String stream, int read) {
        ByteBuf all = Unpooled.copiedBuffer(stream, UTF_8);
        List<String> found = new ArrayList<>();
        try (var id = new AnswerId(ByteBufAllocator.DEFAULT, found::add)) {
            for (int at = 0; !id.read(all, at, Math.min(at + read, all.writerIndex())); at += read) {
                assertThat(at).isLessThan(all.writerIndex());
            }
        } finally {
            all.release();
        }
        assertThat(found).hasSizeLessThan(2);
        return found.isEmpty() ? null : found.get(0);
    }
}
