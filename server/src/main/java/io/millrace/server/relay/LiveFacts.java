package io.millrace.server.relay;

import io.millrace.server.access.Caller;
import io.millrace.server.downstream.ClientStream;
import io.millrace.server.live.LiveStream;
import io.millrace.server.live.LiveStream.State;
import io.millrace.server.memory.Held;
import io.millrace.server.telemetry.Summary;
import io.millrace.server.telemetry.Timeline;
import java.net.InetAddress;
import org.jspecify.annotations.Nullable;

/** What the live view shows of an exchange. It is read from what the exchange has anyway, only when someone watches. */
final class LiveFacts {
    private LiveFacts() {}

    /**
     * The facts at this moment.
     *
     * @param downstream the client's side
     * @param from the client's address; null for a client of a unix socket
     * @param attempts null if no upstream was asked yet
     * @param timeline of the request
     */
    static LiveStream of(
            ClientStream downstream,
            @Nullable InetAddress from,
            Caller caller,
            String requestId,
            ClientRequest request,
            @Nullable Attempts attempts,
            Timeline timeline) {
        Timeline time = attempts == null ? timeline : attempts.timeline();
        StreamRelay stream = attempts == null ? null : attempts.stream();
        Summary.Attempts asked = attempts == null ? Summary.Attempts.none(null, null) : attempts.summary();
        String model = request.fields().loggedModel();
        if (model == null && stream != null) {
            model = stream.state().inspector().model();
        }
        long held = downstream.pendingBytes() + (attempts == null ? 0 : attempts.held(Held.Pool.BUFFERS));
        return new LiveStream(
                requestId,
                from,
                caller.name(),
                request.target().path(),
                model,
                asked.last().upstream(),
                asked.last().origin(),
                asked.begun(),
                // Between two attempts no origin is asked.
                asked.begun() > 0 && asked.last().origin() == null
                        ? State.RETRYING
                        : state(downstream, attempts, stream, time),
                time.startNs,
                time.firstOutputWrittenNs == 0 ? -1 : Math.max(0, time.firstOutputWrittenNs - time.requestCompleteNs),
                time.lastOutputNs == 0 ? time.requestCompleteNs : time.lastOutputNs,
                stream == null ? 0 : stream.state().frames(),
                stream == null ? 0 : stream.bodyBytes(),
                held);
    }

    private static State state(
            ClientStream downstream, @Nullable Attempts attempts, @Nullable StreamRelay stream, Timeline time) {
        if (time.requestCompleteNs == 0 || attempts == null) {
            return State.READING;
        }
        if (time.endNs == 0 && time.connectedNs == 0) {
            return State.CONNECTING;
        }
        if (!downstream.isWritable()) {
            return State.PAUSED;
        }
        if (stream == null || time.firstOutputNs == 0) {
            return time.headNs != 0 && stream == null ? State.STREAMING : State.WAITING;
        }
        return stream.state().saidAll() ? State.ENDING : State.STREAMING;
    }
}
