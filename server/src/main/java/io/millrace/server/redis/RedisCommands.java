package io.millrace.server.redis;

import io.millrace.server.share.StoreLink;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.ByteToMessageDecoder;
import io.netty.handler.codec.CorruptedFrameException;
import io.netty.handler.codec.DecoderException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Commands and answers on a connection that Lettuce has opened, in RESP2
 * (<a href="https://redis.io/docs/latest/develop/reference/protocol-spec/">specification</a>). The commands of one turn of
 * the event loop leave in one buffer. Until {@link #begin}, everything passes to Lettuce's handlers. Confined to the event
 * loop.
 */
final class RedisCommands extends ByteToMessageDecoder {
    private static final int FIRST_BYTES = 1024;
    /** Answers to the relay's commands nest three times: entries, an entry, its fields. */
    private static final int DEPTH = 8;

    private static final short CRLF = '\r' << 8 | '\n';

    private final Consumer<String> onBroken;
    private final ArrayDeque<BiConsumer<@Nullable Object, @Nullable String>> asked = new ArrayDeque<>();
    private @Nullable ChannelHandlerContext context;
    /** Null until {@link #begin}, and after the connection is closed. */
    private @Nullable ChannelHandlerContext connection;

    private @Nullable ByteBuf output;

    /** {@code onBroken} receives the reason if what comes is no answer. */
    RedisCommands(Consumer<String> onBroken) {
        this.onBroken = onBroken;
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        context = ctx;
    }

    /** From now on the connection is this handler's. All of Lettuce's commands must have been answered. */
    void begin() {
        connection = context;
    }

    /**
     * Writes a command to the buffer of this turn.
     *
     * @param told receives the answer or the refusal
     * @param words texts, numbers, {@code byte[]} and {@link StoreLink.Content}
     * @return whether it is the first one since {@link #flush}
     */
    boolean write(BiConsumer<@Nullable Object, @Nullable String> told, Object... words) {
        ChannelHandlerContext its = connection;
        if (its == null) {
            return false;
        }
        ByteBuf to = output;
        boolean first = to == null;
        if (to == null) {
            to = its.alloc().directBuffer(FIRST_BYTES);
            output = to;
        }
        asked.add(told);
        writeLength('*', words.length, to);
        for (Object word : words) {
            writeWord(word, to);
        }
        return first;
    }

    private static void writeWord(Object word, ByteBuf to) {
        if (word instanceof StoreLink.Content content) {
            writeLength('$', content.length(), to);
            content.writeTo(to);
        } else if (word instanceof byte[] bytes) {
            writeLength('$', bytes.length, to);
            to.writeBytes(bytes);
        } else {
            String text = word.toString();
            writeLength('$', ByteBufUtil.utf8Bytes(text), to);
            ByteBufUtil.writeUtf8(to, text);
        }
        to.writeShort(CRLF);
    }

    private static void writeLength(char kind, int length, ByteBuf to) {
        to.writeByte(kind);
        int power = 1;
        while (length / power >= 10) {
            power *= 10;
        }
        for (int rest = power; rest > 0; rest /= 10) {
            to.writeByte('0' + length / rest % 10);
        }
        to.writeShort(CRLF);
    }

    /** Sends the commands that were written. */
    void flush() {
        ByteBuf bytes = output;
        ChannelHandlerContext its = connection;
        if (bytes != null && its != null) {
            output = null;
            its.writeAndFlush(bytes, its.voidPromise());
        }
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object msg) throws Exception {
        if (connection == null) {
            ctx.fireChannelRead(msg);
        } else {
            super.channelRead(ctx, msg);
        }
    }

    @Override
    protected void decode(ChannelHandlerContext ctx, ByteBuf in, List<Object> out) {
        if (end(in, in.readerIndex(), DEPTH) < 0) {
            return;
        }
        BiConsumer<@Nullable Object, @Nullable String> told = asked.poll();
        if (told == null) {
            throw new CorruptedFrameException("an answer without a command");
        }
        if (in.getByte(in.readerIndex()) == '-') {
            in.skipBytes(1);
            told.accept(null, text(line(in)));
        } else {
            told.accept(value(in), null);
        }
    }

    /** The index behind the answer that begins at {@code at}; -1 if it is not whole. */
    private static int end(ByteBuf in, int at, int depth) {
        int lineFeed = at < in.writerIndex() ? in.indexOf(at, in.writerIndex(), (byte) '\n') : -1;
        if (lineFeed < 0) {
            return -1;
        }
        int behind = lineFeed + 1;
        switch (in.getByte(at)) {
            case '+', '-', ':' -> {
                return behind;
            }
            case '$' -> {
                long length = number(in, at + 1, lineFeed);
                long end = length < 0 ? behind : behind + length + 2;
                return end > in.writerIndex() ? -1 : (int) end;
            }
            case '*' -> {
                if (depth == 0) {
                    throw new CorruptedFrameException("an answer of too many levels");
                }
                for (long left = number(in, at + 1, lineFeed); left > 0 && behind >= 0; left--) {
                    behind = end(in, behind, depth - 1);
                }
                return behind;
            }
            default -> throw new CorruptedFrameException("no answer of Redis: byte " + in.getByte(at));
        }
    }

    /** Reads an answer that is whole. Nil is null. */
    private static @Nullable Object value(ByteBuf in) {
        byte kind = in.readByte();
        byte[] line = line(in);
        if (kind == ':') {
            return number(line);
        }
        if (kind != '$' && kind != '*') {
            return line;
        }
        int count = (int) number(line);
        if (count < 0) {
            return null;
        }
        if (kind == '$') {
            byte[] bytes = new byte[count];
            in.readBytes(bytes).skipBytes(2);
            return bytes;
        }
        var list = new ArrayList<@Nullable Object>(count);
        for (int i = 0; i < count; i++) {
            list.add(value(in));
        }
        return list;
    }

    /** The line without its end. */
    private static byte[] line(ByteBuf in) {
        int length = in.bytesBefore((byte) '\n');
        byte[] line = new byte[Math.max(0, length - 1)];
        in.readBytes(line).skipBytes(length + 1 - line.length);
        return line;
    }

    private static String text(byte[] line) {
        return new String(line, StandardCharsets.UTF_8);
    }

    private static long number(ByteBuf in, int start, int lineFeed) {
        byte[] digits = new byte[Math.max(0, lineFeed - 1 - start)];
        in.getBytes(start, digits);
        return number(digits);
    }

    private static long number(byte[] digits) {
        boolean negative = digits.length > 0 && digits[0] == '-';
        long number = 0;
        for (int i = negative ? 1 : 0; i < digits.length; i++) {
            int digit = digits[i] - '0';
            if (digit < 0 || digit > 9 || digits.length > 20) {
                throw new CorruptedFrameException("no number: " + text(digits));
            }
            number = number * 10 + digit;
        }
        return negative ? -number : number;
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        if (cause instanceof DecoderException) {
            onBroken.accept(String.valueOf(cause.getMessage()));
        } else {
            ctx.fireExceptionCaught(cause);
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) throws Exception {
        end();
        super.channelInactive(ctx);
    }

    @Override
    protected void handlerRemoved0(ChannelHandlerContext ctx) {
        end();
    }

    private void end() {
        context = null;
        connection = null;
        asked.clear();
        if (output != null) {
            output.release();
            output = null;
        }
    }
}
