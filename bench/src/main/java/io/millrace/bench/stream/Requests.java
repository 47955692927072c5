package io.millrace.bench.stream;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.HashMap;
import java.util.Map;

/** The requests of one lane as buffers. If there are few prompts, each request is made once. Must be closed. */
final class Requests implements AutoCloseable {
    private static final int MOST_KEPT = 256;

    private final RequestTemplate template;
    private final Prompts prompts;
    private final int distinct;
    private final Map<Long, ByteBuf> kept = new HashMap<>();

    Requests(RequestTemplate template, Prompts prompts) {
        this.template = template;
        this.prompts = prompts;
        distinct = prompts.distinct();
    }

    /** The request of stream {@code index}; ownership is transferred. */
    ByteBuf of(long index) {
        if (distinct > MOST_KEPT) {
            return Unpooled.wrappedBuffer(template.request(prompts.of(index)));
        }
        return kept.computeIfAbsent(index % distinct, this::make).retainedDuplicate();
    }

    private ByteBuf make(long index) {
        byte[] bytes = template.request(prompts.of(index));
        return Unpooled.directBuffer(bytes.length).writeBytes(bytes);
    }

    @Override
    public void close() {
        kept.values().forEach(ByteBuf::release);
        kept.clear();
    }
}
