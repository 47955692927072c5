package io.millrace.server.telemetry;

import io.netty.handler.codec.http.HttpHeaders;
import io.netty.util.AsciiString;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/**
 * An exchange in a trace (W3C Trace Context), and its attempts. Confined to the event loop of the exchange until that has
 * ended. After that it does not change, and any thread may read it.
 */
public final class Trace {
    static final AsciiString PARENT = AsciiString.cached("traceparent");
    static final AsciiString STATE = AsciiString.cached("tracestate");
    private static final HexFormat HEX = HexFormat.of();

    private final String id;
    private final @Nullable TraceParent parent;
    private final int flags;
    private final String spanId;
    private final List<Attempt> attempts;

    /**
     * Creates a trace that begins here or goes on here.
     *
     * @param id 32 hexadecimal digits
     * @param parent what the client says; null if the trace begins here
     * @param flags as in {@code traceparent}
     */
    private Trace(String id, @Nullable TraceParent parent, int flags) {
        this.id = id;
        this.parent = parent;
        this.flags = flags;
        boolean sampled = (flags & TraceParent.SAMPLED) != 0;
        spanId = sampled ? newSpanId() : "";
        attempts = sampled ? new ArrayList<>(1) : List.of();
    }

    /** The trace of a client that records it. */
    static Trace of(TraceParent parent) {
        return new Trace(parent.traceId(), parent, parent.flags());
    }

    /** A trace that begins here. */
    static Trace begin(long high, long low, boolean sampled) {
        return new Trace(HEX.toHexDigits(high) + HEX.toHexDigits(low), null, sampled ? TraceParent.SAMPLED : 0);
    }

    /** An attempt of a request. Its span is recorded if the trace is. */
    public static final class Attempt {
        private final Trace trace;
        private final String spanId = newSpanId();
        private final Asked asked;
        private final long startNs;
        private @Nullable String failure;
        private long endNs;

        private Attempt(Trace trace, Asked asked, long startNs) {
            this.trace = trace;
            this.asked = asked;
            this.startNs = startNs;
        }

        /** Puts the context of this attempt into the head of its request. The client's state stays with its trace. */
        public void writeTo(HttpHeaders headers) {
            headers.set(PARENT, "00-" + trace.id + '-' + spanId + '-' + HEX.toHexDigits((byte) trace.flags));
            if (trace.parent == null) {
                headers.remove(STATE);
            }
        }

        /** It failed for {@code reason}, a status or the kind of failure in one word. */
        public void failed(String reason, long nowNs) {
            if (endNs == 0) {
                failure = reason;
                endNs = nowNs;
            }
        }

        /** It is over. If it had failed before, nothing changes. */
        public void ended(long nowNs) {
            if (endNs == 0) {
                endNs = nowNs;
            }
        }

        /** 16 hexadecimal digits. */
        public String spanId() {
            return spanId;
        }

        public Asked asked() {
            return asked;
        }

        public long startNs() {
            return startNs;
        }

        /** 0 if it is not over. */
        public long endNs() {
            return endNs;
        }

        /** One word; null if it has not failed. */
        public @Nullable String failure() {
            return failure;
        }
    }

    /**
     * What an attempt asks.
     *
     * @param upstream its name in the configuration
     * @param origin its URL
     * @param dialect the name of the dialect of the request
     * @param model the model if it is not the one that the client asked for, otherwise null
     */
    public record Asked(
            String upstream,
            String origin,
            String dialect,
            @Nullable String model) {}

    /** An attempt begins. */
    public Attempt attempt(Asked asked, long nowNs) {
        var attempt = new Attempt(this, asked, nowNs);
        if (isSampled()) {
            attempts.add(attempt);
        }
        return attempt;
    }

    /** 32 hexadecimal digits. */
    public String id() {
        return id;
    }

    /** The span of the exchange: 16 hexadecimal digits. To be asked only if the trace is recorded. */
    public String spanId() {
        return spanId;
    }

    /** The client's span: 16 hexadecimal digits; null if the trace begins here. */
    public @Nullable String parentId() {
        return parent == null ? null : parent.spanId();
    }

    /** The flags of {@code traceparent}. */
    public int flags() {
        return flags;
    }

    /** Whether the trace is recorded. */
    public boolean isSampled() {
        return (flags & TraceParent.SAMPLED) != 0;
    }

    /** The attempts in the order of their begin; none if the trace is not recorded. */
    public List<Attempt> attempts() {
        return Collections.unmodifiableList(attempts);
    }

    private static String newSpanId() {
        long id = ThreadLocalRandom.current().nextLong();
        return HEX.toHexDigits(id == 0 ? 1 : id);
    }
}
