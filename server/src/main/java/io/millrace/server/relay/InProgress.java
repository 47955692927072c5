package io.millrace.server.relay;

import io.millrace.server.downstream.ClientConnection;
import io.millrace.server.downstream.RequestListener;
import java.util.ArrayList;
import java.util.List;

/** Finds the exchanges in progress of one event loop. To be called on it. */
final class InProgress {
    private InProgress() {}

    /** All exchanges, those without their client first. */
    static List<Exchange> on(RelayLoop loop) {
        List<Exchange> found = detached(loop);
        for (ClientConnection connection : loop.connections()) {
            for (RequestListener request : connection.requests()) {
                if (SoughtAnswer.behind(request) instanceof Exchange exchange) {
                    found.add(exchange);
                }
            }
        }
        return found;
    }

    /** The exchanges that go on without their client. */
    static List<Exchange> detached(RelayLoop loop) {
        var found = new ArrayList<Exchange>();
        for (MemoryRelief.Holder holder : loop.relief().detached()) {
            if (holder instanceof Exchange exchange) {
                found.add(exchange);
            }
        }
        return found;
    }
}
