package io.millrace.server.live;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.millrace.server.address.ClientAddress;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
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

    private final long originNs;
    private Map<String, LiveStream> known = Map.of();

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
