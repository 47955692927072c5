package io.millrace.server.live;

import io.millrace.server.address.ClientAddress;
import java.util.Comparator;
import java.util.Locale;
import java.util.function.Function;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/** What streams can be sorted by. */
enum LiveColumn {
    ID,
    CLIENT,
    PATH,
    MODEL,
    UPSTREAM,
    STATE,
    ATTEMPTS,
    AGE,
    TTFT,
    SILENCE,
    FRAMES,
    BYTES,
    HELD;

    /** The column of this name, {@link #SILENCE} if there is none. */
    static LiveColumn named(String name) {
        for (LiveColumn column : values()) {
            if (column.name().toLowerCase(Locale.ROOT).equals(name)) {
                return column;
            }
        }
        return SILENCE;
    }

    /** The order by this column, the smallest value first. */
    Comparator<LiveStream> order(long nowNs) {
        return switch (this) {
            case ID -> text(LiveStream::id);
            case CLIENT -> text(LiveColumn::client);
            case PATH -> text(LiveStream::path);
            case MODEL -> text(LiveStream::model);
            case UPSTREAM -> text(LiveStream::upstream);
            case STATE -> Comparator.comparing(LiveStream::state);
            case ATTEMPTS -> number(LiveStream::attempts);
            case AGE -> number(stream -> nowNs - stream.startNs());
            case TTFT -> number(LiveStream::ttftNs);
            case SILENCE -> silence(nowNs);
            case FRAMES -> number(LiveStream::frames);
            case BYTES -> number(LiveStream::bytes);
            case HELD -> number(LiveStream::held);
        };
    }

    /** Silent streams are by their silence. All others are by their age, because they would change places all the time. */
    private static Comparator<LiveStream> silence(long nowNs) {
        return number(stream -> stream.isStalled(nowNs) ? stream.silenceNs(nowNs) : 0)
                .thenComparing(number(stream -> nowNs - stream.startNs()));
    }

    private static String client(LiveStream stream) {
        return stream.caller() != null ? stream.caller() : ClientAddress.text(stream.address());
    }

    private static Comparator<LiveStream> number(ToLongFunction<LiveStream> value) {
        return Comparator.comparingLong(value);
    }

    private static Comparator<LiveStream> text(Function<LiveStream, @Nullable String> value) {
        return Comparator.comparing(value, Comparator.nullsFirst(Comparator.naturalOrder()));
    }
}
