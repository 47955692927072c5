package io.millrace.codec.translate;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.codec.dialect.Dialect;
import io.millrace.codec.dialect.StreamEnd;
import io.millrace.codec.dialect.StreamInspector;
import io.netty.buffer.Unpooled;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Broken streams: no exception, no frame that a client cannot read, no stop that the upstream did not send. */
class TranslationFuzzTest {
    private static final int ROUNDS = 30;
    private static final int MAX_STREAM_BYTES = 5_000;

    static Stream<Arguments> pairs() {
        return Recorded.dialects().stream()
                .flatMap(upstream -> Recorded.dialects().stream().map(client -> Arguments.of(upstream, client)));
    }

    @ParameterizedTest(name = "{0} for {1}")
    @MethodSource("pairs")
    void bringsNoStopOfACutStream(Dialect upstream, Dialect client) {
        for (String file : smallFiles(upstream)) {
            List<byte[]> frames = Recorded.frames(Recorded.read(file));
            for (int cut = 0; cut < frames.size(); cut++) {
                verify(file + " cut before frame " + cut, upstream, client, frames.subList(0, cut));
            }
        }
    }

    @ParameterizedTest(name = "{0} for {1}")
    @MethodSource("pairs")
    void survivesMutations(Dialect upstream, Dialect client) {
        Random random =
                new Random(upstream.name().hashCode() * 31L + client.name().hashCode());
        List<String> files = smallFiles(upstream);
        for (int round = 0; round < ROUNDS; round++) {
            String file = files.get(round % files.size());
            byte[] stream = mutated(random, Recorded.read(file));
            verify(file + " round " + round, upstream, client, Recorded.frames(stream));
        }
    }

    @ParameterizedTest(name = "{0} for {1}")
    @MethodSource("pairs")
    void survivesMutatedAnswers(Dialect upstream, Dialect client) {
        Random random = new Random(7);
        byte[] answer =
                Recorded.resource("/golden/answers/" + upstream.name().toLowerCase(Locale.ROOT) + "-tools.json");
        for (int round = 0; round < ROUNDS; round++) {
            TranslatedAnswer translated = Recorded.streaming(client, upstream).answer(mutated(random, answer), "req_1");
            assertThat(Json.parseObject(translated.body(), 0, translated.body().length))
                    .isNotNull();
        }
    }

    private static List<String> smallFiles(Dialect dialect) {
        return Recorded.files(dialect).stream()
                .filter(file -> Recorded.read(file).length <= MAX_STREAM_BYTES)
                .toList();
    }

    private static void verify(String what, Dialect upstream, Dialect client, List<byte[]> frames) {
        StreamTranslator translator = Recorded.streaming(client, upstream).stream();

        String seen = Recorded.translate(translator, frames);

        ClientView view = ClientView.of(client, seen);
        boolean stopped = view.finish != null || (view.ended && view.error == null);
        if (stopped) {
            assertThat(endOf(upstream, frames)).as(what).isNotEqualTo(StreamEnd.OPEN);
        }
        assertThat(view.ended).as(what).isEqualTo(translator.isOver());
    }

    /** The end of the stream as the inspector sees it. */
    private static StreamEnd endOf(Dialect upstream, List<byte[]> frames) {
        StreamInspector inspector = upstream.newInspector();
        for (byte[] frame : frames) {
            inspector.inspect(Unpooled.wrappedBuffer(frame), 0, frame.length);
        }
        return inspector.end();
    }

    /** Damages the stream: changes bytes, cuts out or doubles a range, exchanges frames, or cuts off the end. */
    private static byte[] mutated(Random random, byte[] stream) {
        byte[] bytes = stream.clone();
        for (int i = random.nextInt(4); i > 0; i--) {
            bytes[random.nextInt(bytes.length)] = (byte) "{}[]\",:\\0e\n".charAt(random.nextInt(11));
        }
        int from = random.nextInt(bytes.length);
        int to = from + random.nextInt(Math.min(200, bytes.length - from));
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        switch (random.nextInt(5)) {
            case 0 -> {
                out.write(bytes, 0, from);
                out.write(bytes, to, bytes.length - to);
            }
            case 1 -> {
                out.write(bytes, 0, to);
                out.write(bytes, from, bytes.length - from);
            }
            case 2 -> out.write(bytes, 0, from);
            case 3 -> {
                List<byte[]> frames = new ArrayList<>(Recorded.frames(bytes));
                Collections.swap(frames, random.nextInt(frames.size()), random.nextInt(frames.size()));
                frames.forEach(out::writeBytes);
            }
            default -> out.writeBytes(bytes);
        }
        return out.toByteArray();
    }
}
