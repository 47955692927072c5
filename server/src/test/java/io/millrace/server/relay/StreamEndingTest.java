package io.millrace.server.relay;

import static io.millrace.codec.dialect.StreamEnd.DONE;
import static io.millrace.codec.dialect.StreamEnd.ERROR;
import static io.millrace.codec.dialect.StreamEnd.FINISHED;
import static io.millrace.codec.dialect.StreamEnd.HIDDEN_ERROR;
import static io.millrace.codec.dialect.StreamEnd.OPEN;
import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.codec.dialect.Dialect;
import io.millrace.codec.dialect.RelayError;
import io.millrace.codec.dialect.StreamEnd;
import io.millrace.codec.dialect.StreamInspector;
import io.millrace.server.relay.StreamEnding.Obstacle;
import io.millrace.server.telemetry.Outcome;
import io.millrace.server.upstream.CallListener.Breakage;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Every end that frames can show, with every fact that has priority over it. */
class StreamEndingTest {
    private static final String OUTPUT = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"}}]}\n\n";
    private static final String FINISH =
            "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
    private static final String FAILURE = "data: {\"error\":{\"message\":\"no more\",\"type\":\"server_error\"}}\n\n";
    private static final String LAST = "data: [DONE]\n\n";

    /** The frames, whether they are translated, and the ending. */
    private record Case(
            String frames, StreamEnd shown, Obstacle obstacle, boolean translated, Outcome outcome, RelayError error) {}

    static Stream<Case> cases() {
        return Stream.of(
                whole(OUTPUT, OPEN, Outcome.UPSTREAM_TRUNCATED, RelayError.UPSTREAM_TRUNCATED),
                whole(OUTPUT + FINISH, FINISHED, Outcome.COMPLETED, null),
                whole(OUTPUT + FINISH + LAST, DONE, Outcome.COMPLETED, null),
                whole(OUTPUT + FAILURE, ERROR, Outcome.UPSTREAM_ERROR, null),
                whole(LAST, HIDDEN_ERROR, Outcome.UPSTREAM_TRUNCATED, RelayError.UPSTREAM_TRUNCATED),
                new Case(
                        OUTPUT + FAILURE,
                        ERROR,
                        Obstacle.NONE,
                        true,
                        Outcome.UPSTREAM_ERROR,
                        RelayError.UPSTREAM_ERROR),
                new Case(OUTPUT, OPEN, Obstacle.STOPPED, false, Outcome.STOPPED, null),
                new Case(OUTPUT, OPEN, Obstacle.STOPPED, true, Outcome.STOPPED, null),
                new Case(OUTPUT + FINISH, FINISHED, Obstacle.STOPPED, false, Outcome.COMPLETED, null),
                new Case(OUTPUT + FAILURE, ERROR, Obstacle.STOPPED, false, Outcome.UPSTREAM_ERROR, null));
    }

    private static Case whole(String frames, StreamEnd shown, Outcome outcome, RelayError error) {
        return new Case(frames, shown, Obstacle.NONE, false, outcome, error);
    }

    @ParameterizedTest
    @MethodSource("cases")
    void endsAsTheFramesSay(Case one) {
        StreamInspector inspector = inspector(one.frames());
        assertThat(inspector.end()).isEqualTo(one.shown());
        Ending ending = StreamEnding.asSeen(one.obstacle(), inspector, one.translated());
        assertThat(ending.outcome()).isEqualTo(one.outcome());
        assertThat(ending.error()).isEqualTo(one.error());
        assertThat(ending.terminalMissing()).isFalse();
    }

    @ParameterizedTest
    @MethodSource("cases")
    void putsWhatStandsAgainstItFirst(Case one) {
        StreamInspector inspector = inspector(one.frames());
        assertThat(StreamEnding.asSeen(Obstacle.INSIDE_FRAME, inspector, one.translated()))
                .isEqualTo(
                        Ending.withError(RelayError.UPSTREAM_TRUNCATED, "The upstream's stream ended inside a frame"));
        assertThat(StreamEnding.asSeen(Obstacle.TOO_LONG, inspector, one.translated())
                        .error())
                .isEqualTo(RelayError.UPSTREAM_ERROR);
        assertThat(StreamEnding.asSeen(Obstacle.UNTRANSLATABLE, inspector, one.translated()))
                .as("the client's own frames say it")
                .isEqualTo(Ending.asRelayed(Outcome.UPSTREAM_ERROR));
    }

    @ParameterizedTest
    @EnumSource(Breakage.Kind.class)
    void tellsHowAConnectionBroke(Breakage.Kind kind) {
        Ending ending = StreamEnding.broken(new Breakage(kind, "why"));
        boolean closed = kind == Breakage.Kind.TRUNCATED;
        assertThat(ending.error()).isEqualTo(closed ? RelayError.UPSTREAM_TRUNCATED : RelayError.UPSTREAM_RESET);
        assertThat(ending.outcome()).isEqualTo(closed ? Outcome.UPSTREAM_TRUNCATED : Outcome.UPSTREAM_RESET);
        assertThat(ending.message()).contains("(why)");
    }

    private static StreamInspector inspector(String frames) {
        StreamInspector inspector = Dialect.CHAT.newInspector();
        for (String frame : frames.split("(?<=\n\n)", 0)) {
            ByteBuf bytes = ByteBufUtil.writeAscii(UnpooledByteBufAllocator.DEFAULT, frame);
            inspector.inspect(bytes, 0, bytes.writerIndex());
            bytes.release();
        }
        return inspector;
    }
}
