package io.millrace.server.relay;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.server.access.Caller;
import io.millrace.server.config.Route.Disconnect;
import io.millrace.server.http.Target;
import io.millrace.server.replay.LogReader;
import io.millrace.server.replay.ReplayMemory;
import io.millrace.server.replay.Seal;
import io.millrace.server.replay.StreamLog;
import io.millrace.server.test.FakeCall;
import io.millrace.server.test.FakeClientStream;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.DefaultHttpHeaders;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is kept of an answer, and whether it goes on without its client; without sockets. */
class RecipientTest {
    private static final String PING = ": ping\n\n";

    /** Takes all that a log has. */
    private static final class Text implements LogReader {
        private final StringBuilder text = new StringBuilder();

        static String of(StreamLog log) {
            var reader = new Text();
            log.attach(reader, log.oldest());
            log.detach(reader);
            return reader.text.toString();
        }

        @Override
        public boolean wants() {
            return true;
        }

        @Override
        public void onBytes(ByteBuf bytes, long offset) {
            text.append(bytes.toString(StandardCharsets.UTF_8));
            bytes.release();
        }

        @Override
        public void onSealed(Seal seal, long end) {}

        @Override
        public void onGone(long oldest) {}
    }

    @Test
    void aClientThatLeavesBeforeTheFirstOutputEndsTheRequest() {
        try (var bed = bed()) {
            Exchange exchange = bed.ask();
            FakeCall call = bed.stream();
            exchange.onClientGone("left");
            assertThat(call.fate()).isEqualTo(FakeCall.Fate.ABORTED);
            assertThat(bed.end()).endsWith("client_gone");
        }
    }

    /** Between two frames, and at any place inside of the second. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 5, 30})
    void aClientThatLeavesLaterMissesNothing(int had) {
        try (var bed = bed()) {
            Exchange exchange = bed.ask();
            FakeCall call = bed.stream();
            call.read(ExchangeBed.OUTPUT + ExchangeBed.OUTPUT.substring(0, had));
            String id = bed.header("x-millrace-stream");
            exchange.onClientGone("left");
            assertThat(call.fate()).isEqualTo(FakeCall.Fate.RUNNING);
            call.read(ExchangeBed.OUTPUT.substring(had) + ExchangeBed.DONE);
            call.end();
            assertThat(bed.end()).endsWith("completed");
            byte[] key = Caller.ANYONE.owner(new DefaultHttpHeaders(), Target.of(ExchangeBed.CHAT));
            var found = new ArrayList<OpenStreams.Kept>();
            bed.loop.streams().whenKept(id, key, found::add);
            StreamLog log = found.get(0).log();
            assertThat(Text.of(log)).isEqualTo(ExchangeBed.OUTPUT + ExchangeBed.OUTPUT + ExchangeBed.DONE);
            assertThat(log.seal()).isEqualTo(Seal.CLEAN);
            bed.loop.streams().close();
        }
    }

    /** A failed attempt's frames are in no log. Heartbeats before the first output are, and are counted once. */
    @Test
    void keepsHeartbeatsBeforeTheAnswerAndNoFailedAttempt() {
        var client = new FakeClientStream();
        var memory = new ReplayMemory(1 << 20);
        var log = new StreamLog(client.alloc(), memory, 1 << 20, Runnable::run);
        var early = new LoggedSink(client.alloc(), null);
        early.begin(log, null, 0);
        append(early, PING);
        early.write();
        var answer = new LoggedSink(client.alloc(), null);
        append(answer, "data: of a failed attempt\n\n");
        answer.discard();
        assertThat(answer.bodyBytes()).isZero();
        assertThat(answer.pendingBytes()).isZero();
        append(answer, ExchangeBed.OUTPUT);
        answer.begin(log, null, early.bodyBytes());
        append(answer, ExchangeBed.DONE);
        String whole = PING + ExchangeBed.OUTPUT + ExchangeBed.DONE;
        assertThat(Text.of(log)).isEqualTo(whole);
        assertThat(answer.bodyBytes()).isEqualTo(whole.length()).isEqualTo(log.tail());
        log.close();
        assertThat(memory.held()).isZero();
    }

    private static void append(LoggedSink sink, String text) {
        ByteBuf bytes = Unpooled.copiedBuffer(text, StandardCharsets.UTF_8);
        sink.append(bytes, 0, bytes.readableBytes());
        bytes.release();
    }

    private static ExchangeBed bed() {
        return new ExchangeBed(route -> route.with(r -> r.disconnect = Disconnect.DETACH), "a");
    }
}
