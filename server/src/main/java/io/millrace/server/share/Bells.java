package io.millrace.server.share;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * Tells other nodes which of their streams have new bytes in the store, and brings short ones. A node gets at most one
 * message in a millisecond, because a message and the questions after it cost the store more than the bytes. Only the
 * messages wait for that: what goes to the store itself never does. Confined to the event loop.
 */
final class Bells {
    private static final long GATHER_NS = TimeUnit.MILLISECONDS.toNanos(1);
    /** The most bytes of streams in a message. A node asks the store for what has no room. */
    private static final int MOST_BYTES = 64 * 1024;

    private final LoopShare share;
    /** The next message to each node. One that is sent is used again. */
    private final Map<String, Message> messages = new HashMap<>();

    private long rungNs;
    /** Whether the messages leave at the end of this turn of the event loop. */
    private boolean leaving;
    /** Whether a task will send them. */
    private boolean waiting;

    /** The text of a message: a {@link Bell} after the other. */
    private static final class Message implements StoreLink.Content {
        private final ByteBuf text = Unpooled.buffer();

        Message() {
            clear();
        }

        void clear() {
            text.clear();
            ByteBufUtil.writeAscii(text, Bell.BEGIN);
        }

        boolean isEmpty() {
            return text.readableBytes() == Bell.BEGIN.length();
        }

        @Override
        public int length() {
            return text.readableBytes();
        }

        @Override
        public void writeTo(ByteBuf to) {
            to.writeBytes(text, text.readerIndex(), text.readableBytes());
        }
    }

    Bells(LoopShare share) {
        this.share = share;
        rungNs = share.nowNs() - GATHER_NS;
    }

    /**
     * Tells a node that the store has news of a stream, or will have with what is sent in this turn: at the end of the turn
     * if that is {@code urgent} or there was no message for a while, else with the next message.
     */
    void ring(String node, String id, boolean urgent) {
        if (share.isConnected()) {
            Bell.write(id, message(node).text);
            leave(urgent);
        }
    }

    /** Brings bytes to a node that the store has for sure. {@code end} is the offset behind them. */
    void bring(String node, String id, LogBytes bytes, long end) {
        Message message = message(node);
        if (!bytes.isKept() || message.length() + bytes.length() > MOST_BYTES) {
            ring(node, id, false);
        } else if (share.isConnected()) {
            Bell.write(id, bytes, end, message.text);
            leave(false);
        }
    }

    private Message message(String node) {
        return messages.computeIfAbsent(node, its -> new Message());
    }

    private void leave(boolean urgent) {
        if (leaving || (waiting && !urgent)) {
            return;
        }
        long pauseNs = urgent ? 0 : rungNs + GATHER_NS - share.nowNs();
        if (pauseNs <= 0) {
            leaving = true;
            share.execute(this::send);
        } else {
            waiting = true;
            share.later(this::onTime, pauseNs);
        }
    }

    private void onTime() {
        waiting = false;
        if (!leaving) {
            send();
        }
    }

    /** Sends what waits. A node that was not told of anything since the last time is forgotten. */
    void send() {
        leaving = false;
        rungNs = share.nowNs();
        messages.values().removeIf(Message::isEmpty);
        messages.forEach((node, message) -> {
            share.tell(node, message);
            message.clear();
        });
    }
}
