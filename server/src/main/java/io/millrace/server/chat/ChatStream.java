package io.millrace.server.chat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.codec.sse.SseEncoder;
import io.millrace.codec.text.TextSegmenter;
import io.millrace.codec.text.TextUnit;
import io.millrace.codec.translate.ModelError;
import io.millrace.codec.translate.Seal;
import io.netty.buffer.ByteBufUtil;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Writes an answer's text in units, as events or as bare text. One per attempt; confined to its event loop. */
final class ChatStream extends ChatText {
    static final String DONE = "[DONE]";
    /**
     * The time in milliseconds after which an EventSource connects again when its stream has ended. It then gets a 204.
     */
    private static final byte[] RETRY = "retry: 1000\n".getBytes(StandardCharsets.US_ASCII);

    private final ChatForm form;
    private final boolean allParts;
    private final @Nullable String idPrefix;
    private final ChatTimes times;
    private final @Nullable LineFeeds lineFeeds;
    private final TextUnit unit;
    private TextSegmenter segmenter;
    private long events;
    private long units;
    private long ttftNs = -1;

    /**
     * @param allParts whether reasoning and tool calls have events, too, and deltas say when they came
     * @param idPrefix the text before the number in the id of each event; null if the client is no EventSource. For an
     *     EventSource, an event {@code done} marks the end
     */
    ChatStream(ChatForm form, TextUnit unit, boolean allParts, @Nullable String idPrefix, ChatTimes times) {
        this.form = form;
        this.allParts = allParts;
        this.idPrefix = idPrefix;
        this.times = times;
        lineFeeds = form == ChatForm.SSE ? new LineFeeds() : null;
        this.unit = unit;
        segmenter = new TextSegmenter(unit, this::onUnit);
    }

    /** Writes text that has waited too long for the end of its unit. */
    void onTime(long nowNs) {
        segmenter.flushOverdue(nowNs);
    }

    @Override
    public void text(String text) {
        segmenter.add(lineFeeds == null ? text : lineFeeds.of(text), times.nowNs());
    }

    @Override
    public void reasoning(String text) {
        if (allParts) {
            part("reasoning", ChatJson.object().put("text", text));
        }
    }

    @Override
    public void toolCall(int index, String id, String name, @Nullable Seal seal) {
        if (allParts) {
            ObjectNode call =
                    ChatJson.object().put("index", index).put("id", id).put("name", name);
            part("tool_call", call);
        }
    }

    @Override
    public void arguments(int index, String json) {
        if (allParts) {
            ObjectNode more = ChatJson.object().put("index", index).put("arguments", json);
            part("tool_call", more);
        }
    }

    @Override
    public void end() {
        segmenter.finish();
        if (form == ChatForm.TEXT) {
            return;
        }
        if (form == ChatForm.JSON) {
            if (usage.isKnown()) {
                ObjectNode counts = ChatJson.object();
                ChatJson.addCounts(counts, usage);
                event("usage", ChatJson.text(counts));
            }
            event("stop", ChatJson.text(ending()));
        }
        if (idPrefix != null) {
            event("done", ChatJson.text(ending()));
        }
        if (form == ChatForm.SSE) {
            event(null, DONE);
        }
    }

    /** Bare text has no form for an error. The connection is closed instead. */
    @Override
    public void error(ModelError error) {
        segmenter.finish();
        if (form != ChatForm.TEXT) {
            event("error", new String(ChatFormat.errorBody(error, null), StandardCharsets.UTF_8));
        }
    }

    private void onUnit(String text) {
        boolean first = ttftNs < 0;
        if (first) {
            ttftNs = times.nowNs() - times.requestNs();
        }
        switch (form) {
            case TEXT, ANSWER -> ByteBufUtil.writeUtf8(out(), text);
            case SSE -> event(null, text);
            case JSON -> {
                ObjectNode delta = ChatJson.object().put("index", units).put("text", text);
                if (first) {
                    addTtft(delta);
                }
                if (allParts) {
                    addTimes(delta, first);
                }
                event("delta", ChatJson.text(delta));
            }
        }
        units++;
    }

    /** Writes an event that is not text. All text before it is written first, and text after it begins a new unit. */
    private void part(String type, ObjectNode data) {
        if (segmenter.held() > 0) {
            segmenter.finish();
            segmenter = new TextSegmenter(unit, this::onUnit);
        }
        event(type, ChatJson.text(data));
    }

    private void event(@Nullable String type, String data) {
        if (idPrefix != null && events == 0) {
            out().writeBytes(RETRY);
        }
        events++;
        SseEncoder.event(out(), type, idPrefix == null ? null : idPrefix + events, data);
    }

    private ObjectNode ending() {
        ObjectNode ending = ChatJson.object();
        ending.put("reason", ChatJson.label(stopReason));
        ending.put("model", model);
        if (ttftNs >= 0) {
            addTtft(ending);
        }
        return ending;
    }

    /** When the unit ended, and when the attempt began that brought it. */
    private void addTimes(ObjectNode to, boolean first) {
        to.put("at_ms", times.sinceRequestMs(times.nowNs()));
        if (first) {
            to.put("attempt_ms", times.sinceRequestMs(times.attemptNs()));
        }
    }

    private void addTtft(ObjectNode to) {
        to.put("ttft_ms", TimeUnit.NANOSECONDS.toMillis(ttftNs));
    }
}
