package io.millrace.server.format;

import static java.util.Objects.requireNonNull;

import io.millrace.codec.dialect.Dialect;
import io.millrace.codec.dialect.HeartbeatForm;
import io.millrace.codec.dialect.RelayError;
import io.millrace.codec.dialect.StreamStop;
import io.millrace.codec.translate.Translation;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufUtil;
import io.netty.handler.codec.http.HttpMethod;
import java.util.EnumMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A client of a dialect. Its exchanges pass through unless the upstream has only other dialects. Immutable, one for all
 * exchanges.
 */
public final class DialectSide implements ClientSide {
    private static final Map<Dialect, DialectSide> SIDES = new EnumMap<>(Dialect.class);

    static {
        for (Dialect dialect : Dialect.values()) {
            SIDES.put(dialect, new DialectSide(dialect));
        }
    }

    private final Dialect dialect;

    private DialectSide(Dialect dialect) {
        this.dialect = dialect;
    }

    /** The side of a dialect, which may be unknown. */
    public static DialectSide of(Dialect dialect) {
        return requireNonNull(SIDES.get(dialect));
    }

    @Override
    public Dialect dialect() {
        return dialect;
    }

    /**
     * Only requests that generate an answer. Anything else, such as a stored response, exists only at its own upstream.
     */
    @Override
    public boolean translates(HttpMethod method, String path) {
        if (!method.equals(HttpMethod.POST)) {
            return false;
        }
        return switch (dialect) {
            case CHAT -> path.endsWith("/chat/completions");
            case RESPONSES -> path.endsWith("/responses");
            case MESSAGES -> path.endsWith("/messages");
            case GEMINI -> true;
            case UNKNOWN -> false;
        };
    }

    @Override
    public Interpreter interpreter(String uri, ByteBuf body, Asked asked) {
        var translation = Translation.of(dialect, asked.dialect());
        if (asked.strict()) {
            translation.strict();
        }
        String model = asked.model() != null ? asked.model() : asked.usualModel();
        return new Interpreter(translation, translation.request(ByteBufUtil.getBytes(body), uri, model));
    }

    @Override
    public byte[] errorBody(int status, String code, String message, @Nullable String field, String requestId) {
        return dialect.errorBody(status, code, message, field, requestId);
    }

    @Override
    public @Nullable ByteBuf errorFrame(
            ByteBufAllocator alloc, RelayError error, String message, long lastSequenceNumber, String requestId) {
        return dialect.errorFrame(alloc, error, message, lastSequenceNumber, requestId);
    }

    @Override
    public ByteBuf stopFrames(ByteBufAllocator alloc, StreamStop stop) {
        return dialect.newInspector().stopFrames(alloc, stop);
    }

    @Override
    public HeartbeatForm heartbeat(@Nullable HeartbeatForm configured) {
        if (configured != null) {
            return configured;
        }
        return dialect == Dialect.UNKNOWN ? HeartbeatForm.NONE : dialect.heartbeat();
    }
}
