package io.millrace.bench.stream;

import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The clients of a load.
 *
 * @param behaviours the behaviour of each client
 * @param limits how long clients wait
 * @param asksAgain whether a request is sent again if the server closed the idle connection before the request arrived
 * @param readers makes the reader of each connection; null for a reader that inspects every frame
 */
public record Clients(
        Behaviours behaviours,
        StreamLimits limits,
        boolean asksAgain,
        @Nullable Function<StreamObserver, BodyReader> readers) {
    /** Clients that ask again and inspect every frame. */
    public static Clients of(Behaviours behaviours, StreamLimits limits) {
        return new Clients(behaviours, limits, true, null);
    }

    /** Clients that do not ask again, have no limits, and use the given reader. */
    public static Clients reading(Function<StreamObserver, BodyReader> readers) {
        return new Clients(Behaviours.NONE, StreamLimits.NONE, false, readers);
    }
}
