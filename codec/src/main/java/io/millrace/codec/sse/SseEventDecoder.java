package io.millrace.codec.sse;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.MessageToMessageDecoder;
import java.util.List;

/**
 * Channel handler that decodes the bytes of an event stream ({@link ByteBuf}, which it releases) into
 * {@link SseEvent}s.
 *
 * <p>Comments and retry lines are dropped. An unfinished event is discarded when the channel closes or this handler is
 * removed. After a {@link TooLongEventException}, further bytes are dropped. One instance serves one channel.
 */
public final class SseEventDecoder extends MessageToMessageDecoder<ByteBuf> {
    private final int maxEventBytes;

    @SuppressWarnings("NullAway.Init") // set by handlerAdded, before the first byte
    private SseEventParser parser;

    /** Creates a decoder with {@link SseEventParser#DEFAULT_MAX_EVENT_BYTES}. */
    public SseEventDecoder() {
        this(SseEventParser.DEFAULT_MAX_EVENT_BYTES);
    }

    /**
     * Creates a decoder.
     *
     * @param maxEventBytes as for {@link SseEventParser}
     * @throws IllegalArgumentException if {@code maxEventBytes} is not positive
     */
    public SseEventDecoder(int maxEventBytes) {
        super(ByteBuf.class);
        if (maxEventBytes <= 0) {
            throw new IllegalArgumentException("maxEventBytes: " + maxEventBytes + " (expected: > 0)");
        }
        this.maxEventBytes = maxEventBytes;
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        parser = new SseEventParser(ctx.alloc(), maxEventBytes);
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext ctx) {
        parser.close();
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) throws Exception {
        parser.close();
        super.channelInactive(ctx);
    }

    @Override
    protected void decode(ChannelHandlerContext ctx, ByteBuf in, List<Object> out) {
        if (!parser.closed()) {
            parser.parse(in, out::add);
        }
    }
}
