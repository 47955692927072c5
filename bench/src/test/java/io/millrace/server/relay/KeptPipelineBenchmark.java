package io.millrace.server.relay;

import io.millrace.codec.dialect.Dialect;
import io.millrace.server.config.RelayConfig.Resume;
import io.millrace.server.config.Route.Disconnect;
import io.millrace.server.downstream.ClientStream;
import io.millrace.server.format.DialectSide;
import io.millrace.server.http.HeaderRules;
import io.millrace.server.memory.Held;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpResponse;
import org.openjdk.jmh.annotations.TearDown;

/**
 * The cost of one frame of a stream that is kept for readers, of whom there are none. The difference to
 * {@link PipelineBenchmark} is the cost of keeping it.
 */
public class KeptPipelineBenchmark extends PipelineBenchmark {
    private OpenStreams streams;

    @Override
    ClientStream recipient(RelayLoop loop, ClientStream client, Dialect dialect, HttpResponse head) {
        streams = loop.streams();
        head.headers().set(HeaderRules.STREAM_ID, streams.add(() -> false, new byte[0]));
        head.headers().set(HttpHeaderNames.CONTENT_TYPE, "text/event-stream");
        return new Recipient(
                loop, client, DialectSide.of(dialect), Disconnect.DETACH, Resume.DEFAULT, new Unended(), message -> {});
    }

    /** Releases what is kept. */
    @TearDown
    public void closeStreams() {
        streams.close();
    }

    /** An exchange that never ends. */
    private static final class Unended implements Recipient.Listener {
        @Override
        public void onSweep(long nowNs) {}

        @Override
        public long outputFrames() {
            return 0;
        }

        @Override
        public void onRoom() {}

        @Override
        public long held(Held.Pool pool) {
            return 0;
        }

        @Override
        public int heldOfBody() {
            return 0;
        }

        @Override
        public boolean mayDropBody() {
            return false;
        }

        @Override
        public void dropBody() {}

        @Override
        public boolean awaitsBody() {
            return false;
        }

        @Override
        public long bodyPacedNs() {
            return 0;
        }

        @Override
        public void onMemoryShort() {}
    }
}
