package io.millrace.server.live;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.millrace.server.address.ClientAddress;
import io.millrace.server.balance.OriginHealth;
import io.millrace.server.balance.OriginState;
import io.millrace.server.balance.UpstreamState;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The events for one watcher. An event has only what is not as the watcher knows it: rows that are new, members of rows
 * that have changed, ids of rows that are gone. All times are milliseconds, and moments are counted from the start of the
 * feed. Confined to the event loop of the watcher.
 */
final class LiveFeed {
    private static final JsonFactory JSON = new JsonFactory();

    private static final byte[] NOTHING = new byte[0];

    private final long originNs;
    private Map<String, LiveStream> known = Map.of();
    private byte[] knownUpstreams = NOTHING;
    private long nextPoint;

    /** A feed that begins now. Its watcher knows nothing yet. */
    LiveFeed(long nowNs) {
        originNs = nowNs;
    }

    /** Writes the members of an object. */
    private interface Members {
        void write(JsonGenerator to) throws IOException;
    }

    /** The event {@code streams}, which brings the watcher up to date. */
    byte[] streams(Tally tally) {
        List<LiveStream> top = tally.top();
        var next = new HashMap<String, LiveStream>();
        top.forEach(stream -> next.put(stream.id(), stream));
        byte[] event = event("streams", json -> {
            json.writeNumberField("at", moment(tally.nowNs()));
            json.writeNumberField("total", tally.total());
            json.writeNumberField("matched", tally.matched());
            json.writeNumberField("stalled", tally.stalled());
            json.writeNumberField("held", tally.held());
            json.writeObjectFieldStart("states");
            for (Map.Entry<LiveStream.State, Integer> state : tally.states().entrySet()) {
                json.writeNumberField(state.getKey().label(), state.getValue());
            }
            json.writeEndObject();
            writeRows(json, top);
            writeGone(json, next.keySet());
        });
        known = next;
        return event;
    }

    /** The event {@code upstreams} with all upstreams and their origins; empty if nothing has changed. */
    byte[] upstreams(Map<String, UpstreamState> upstreams, long nowNs) {
        byte[] event = event("upstreams", json -> {
            json.writeArrayFieldStart("upstreams");
            for (Map.Entry<String, UpstreamState> upstream : upstreams.entrySet()) {
                writeUpstream(json, upstream.getKey(), upstream.getValue(), nowNs);
            }
            json.writeEndArray();
        });
        boolean same = Arrays.equals(event, knownUpstreams);
        knownUpstreams = event;
        return same ? NOTHING : event;
    }

    /** The event {@code history} with the points that the watcher does not have; empty if there are none. */
    byte[] history(LiveHistory history) {
        List<LiveHistory.Point> points = history.from(nextPoint);
        if (points.isEmpty()) {
            return NOTHING;
        }
        nextPoint = points.get(points.size() - 1).number() + 1;
        return event("history", json -> {
            json.writeNumberField("every", LiveHistory.PERIOD_MS);
            json.writeArrayFieldStart("points");
            for (LiveHistory.Point point : points) {
                json.writeStartObject();
                json.writeNumberField("at", moment(point.atNs()));
                ms(json, "ttft50", point.ttftP50());
                ms(json, "ttft95", point.ttftP95());
                ms(json, "ttft99", point.ttftP99());
                ms(json, "gap50", point.gapP50());
                ms(json, "gap99", point.gapP99());
                json.writeFieldName("ends");
                json.writeArray(point.ends(), 0, point.ends().length);
                ms(json, "lag", point.lagMs());
                json.writeEndObject();
            }
            json.writeEndArray();
        });
    }

    /** With microseconds; left out if it is not known. */
    private static void ms(JsonGenerator json, String name, double ms) throws IOException {
        if (ms >= 0) {
            json.writeNumberField(name, Math.round(ms * 1000) / 1000.0);
        }
    }

    private static void writeUpstream(JsonGenerator json, String name, UpstreamState upstream, long nowNs)
            throws IOException {
        json.writeStartObject();
        json.writeStringField("name", name);
        json.writeBooleanField("full", upstream.isFull());
        json.writeNumberField("retries", upstream.retries().retries());
        json.writeNumberField("refused", upstream.retries().refused());
        json.writeNumberField("p95", TimeUnit.NANOSECONDS.toMillis(upstream.p95TtftNs()));
        json.writeArrayFieldStart("origins");
        for (OriginState origin : upstream.origins()) {
            OriginHealth health = origin.health(nowNs);
            json.writeStartObject();
            json.writeStringField("url", health.url());
            json.writeStringField("serving", health.serving().label());
            json.writeNumberField("left", TimeUnit.NANOSECONDS.toSeconds(health.leftNs()));
            json.writeBooleanField("warming", health.warming());
            json.writeNumberField("inFlight", health.inFlight());
            json.writeNumberField("ejections", health.ejections());
            json.writeNumberField("ttft", health.ttftNs() < 0 ? -1 : TimeUnit.NANOSECONDS.toMillis(health.ttftNs()));
            json.writeEndObject();
        }
        json.writeEndArray();
        json.writeEndObject();
    }

    private void writeRows(JsonGenerator json, List<LiveStream> top) throws IOException {
        json.writeArrayFieldStart("rows");
        for (LiveStream stream : top) {
            LiveStream before = known.get(stream.id());
            if (!stream.equals(before)) {
                json.writeStartObject();
                json.writeStringField("id", stream.id());
                if (before == null) {
                    writeOnce(json, stream);
                }
                writeChanges(json, stream, before);
                json.writeEndObject();
            }
        }
        json.writeEndArray();
    }

    private void writeOnce(JsonGenerator json, LiveStream stream) throws IOException {
        json.writeStringField("address", ClientAddress.text(stream.address()));
        if (stream.caller() != null) {
            json.writeStringField("client", stream.caller());
        }
        json.writeStringField("path", stream.path());
        json.writeNumberField("began", moment(stream.startNs()));
    }

    private void writeChanges(JsonGenerator json, LiveStream now, @Nullable LiveStream was) throws IOException {
        text(json, "model", now.model(), was == null ? null : was.model());
        text(json, "upstream", now.upstream(), was == null ? null : was.upstream());
        text(json, "origin", now.origin(), was == null ? null : was.origin());
        text(
                json,
                "state",
                now.state().label(),
                was == null ? null : was.state().label());
        number(json, "attempts", now.attempts(), was == null ? 0 : was.attempts());
        number(json, "frames", now.frames(), was == null ? 0 : was.frames());
        number(json, "bytes", now.bytes(), was == null ? 0 : was.bytes());
        number(json, "held", now.held(), was == null ? 0 : was.held());
        if (now.ttftNs() != (was == null ? -1 : was.ttftNs())) {
            number(json, "ttft", now.ttftNs() < 0 ? -1 : TimeUnit.NANOSECONDS.toMillis(now.ttftNs()), -2);
        }
        if (now.quietSinceNs() != (was == null ? 0 : was.quietSinceNs())) {
            json.writeFieldName("quiet");
            if (now.quietSinceNs() == 0) {
                json.writeNull();
            } else {
                json.writeNumber(moment(now.quietSinceNs()));
            }
        }
    }

    private static void text(JsonGenerator json, String name, @Nullable String now, @Nullable String was)
            throws IOException {
        if (!Objects.equals(now, was)) {
            json.writeStringField(name, now);
        }
    }

    private static void number(JsonGenerator json, String name, long now, long was) throws IOException {
        if (now != was) {
            json.writeNumberField(name, now);
        }
    }

    private void writeGone(JsonGenerator json, Set<String> shown) throws IOException {
        var gone = new HashSet<>(known.keySet());
        gone.removeAll(shown);
        json.writeArrayFieldStart("gone");
        for (String id : gone) {
            json.writeString(id);
        }
        json.writeEndArray();
    }

    private long moment(long ns) {
        return TimeUnit.NANOSECONDS.toMillis(ns - originNs);
    }

    private static byte[] event(String name, Members members) {
        var out = new ByteArrayOutputStream(1024);
        out.writeBytes(("event: " + name + "\ndata: ").getBytes(StandardCharsets.US_ASCII));
        try (JsonGenerator json = JSON.createGenerator(out)) {
            json.writeStartObject();
            members.write(json);
            json.writeEndObject();
        } catch (IOException e) {
            throw new UncheckedIOException(e); // cannot happen: nothing is written outside of memory
        }
        out.writeBytes("\n\n".getBytes(StandardCharsets.US_ASCII));
        return out.toByteArray();
    }
}
