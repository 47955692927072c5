package io.millrace.server.test;

import io.millrace.codec.sse.SseEvent;
import io.millrace.codec.sse.SseEventParser;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** The events of a stream for a conforming client. */
public final class Events {
    private Events() {}

    /** The events of a whole body; the list is the caller's. */
    public static List<SseEvent> of(String body) {
        var events = new ArrayList<SseEvent>();
        try (var parser = new SseEventParser(UnpooledByteBufAllocator.DEFAULT)) {
            parser.parse(Unpooled.wrappedBuffer(body.getBytes(StandardCharsets.UTF_8)), events::add);
        }
        return events;
    }
}
