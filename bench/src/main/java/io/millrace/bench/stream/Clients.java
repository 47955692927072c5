package io.millrace.bench.stream;

import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The clients of a load.
 *
 * @param behaviours of each
 * @param limits on the time that they wait
 * @param asksAgain whether a request is sent again if the server had closed the idle connection before the request came
 * @param readers makes the reader of each connection; null for one that looks into every frame
 */
public record Clients(
        Behaviours behaviours,
        StreamLimits limits,
        boolean asksAgain,
        @Nullable Function<StreamObserver, BodyReader> readers) {
    /** Clients that ask again and look into every frame. */
    public static Clients of(Behaviours behaviours, StreamLimits limits) {
        return new Clients(behaviours, limits, true, null);
    }

    /** Clients that take each loss as one, have no limits, and read as they are told. */
    public static Clients reading(Function<StreamObserver, BodyReader> readers) {
        return new Clients(Behaviours.NONE, StreamLimits.NONE, false, readers);
    }
}
