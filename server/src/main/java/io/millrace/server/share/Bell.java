package io.millrace.server.share;

import io.millrace.server.replay.StreamLog;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A node's news of one of its streams: the store has more of it. It may bring the bytes, so that the store need not be asked
 * for them.
 *
 * @param bytes their first {@code length} bytes from {@code at} on; null if the store must be asked
 * @param end the offset behind them
 */
record Bell(String id, @Nullable ByteBuf bytes, int at, int length, long end) {
    /** How a message with bells begins. Each character is a byte. */
    static final String BEGIN = "bell\n";

    /** Appends one without bytes to a message. */
    static void write(String id, ByteBuf to) {
        ByteBufUtil.writeAscii(to, id);
        to.writeByte('\n');
    }

    static void write(String id, LogBytes bytes, long end, ByteBuf to) {
        ByteBufUtil.writeAscii(to, id);
        ByteBufUtil.writeAscii(to, " " + end + " " + bytes.length() + "\n");
        bytes.writeTo(to);
    }

    /** The bells of a message. What is malformed is left out, with what follows it: the store will be asked. */
    static List<Bell> read(String message) {
        byte[] text = message.getBytes(StandardCharsets.ISO_8859_1);
        ByteBuf bytes = Unpooled.wrappedBuffer(text);
        var bells = new ArrayList<Bell>();
        int at = BEGIN.length();
        for (int line = message.indexOf('\n', at); line >= 0; line = message.indexOf('\n', at)) {
            String[] words = message.substring(at, line).split(" ", -1);
            at = line + 1;
            if (words.length == 1) {
                bells.add(new Bell(words[0], null, 0, 0, 0));
                continue;
            }
            long end = words.length == 3 ? Entries.number(words[1]) : 0;
            long length = words.length == 3 ? Entries.number(words[2]) : 0;
            if (length == 0 || length > text.length - at || end < length || end == Long.MAX_VALUE) {
                break;
            }
            bells.add(new Bell(words[0], bytes, at, (int) length, end));
            at += (int) length;
        }
        return bells;
    }

    /** Appends the bytes to the log that they belong to. Returns false if the store must be asked. */
    boolean appendTo(StreamLog log) {
        long tail = log.tail();
        if (bytes == null || end - length > tail) {
            return false;
        }
        if (end > tail) {
            log.append(bytes, at + (int) (tail - (end - length)), at + length);
            log.flush();
        }
        return true;
    }
}
