package io.millrace.server.relay;

import io.millrace.server.replay.OnceKey;
import io.millrace.server.replay.StreamLog;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** A stream that its client may ask for. Its fields belong to {@link OpenStreams}. */
final class OpenStream {
    final String id;
    final BooleanSupplier stop;
    final byte[] key;
    /** Those who ask for it before there is anything to read. Null if nobody may. */
    @Nullable
    List<Kept.Asker> awaiting;

    @Nullable
    OnceKey once;

    @Nullable
    String answer;

    @Nullable
    Kept kept;

    boolean over;
    long untilNs;

    /** A stream of a client with this key. {@code stop} ends it. */
    OpenStream(String id, BooleanSupplier stop, byte[] key) {
        this.id = id;
        this.stop = stop;
        this.key = key;
    }

    /** Those who waited for it until now. */
    List<Kept.Asker> takeAwaiting() {
        List<Kept.Asker> those = awaiting == null ? List.of() : awaiting;
        awaiting = null;
        return those;
    }

    /** Its log, if it is in progress and may be given up: nobody but the client that asked has ever read it. */
    Stream<StreamLog> spareLog() {
        boolean mayGo = !over && once == null;
        return mayGo && kept != null && !kept.log().isClosed() && kept.log().isSpare()
                ? Stream.of(kept.log())
                : Stream.empty();
    }
}
