package io.millrace.server.relay;

import io.millrace.server.replay.OnceKey;
import java.util.List;
import java.util.function.BooleanSupplier;
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
}
