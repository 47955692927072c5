package io.millrace.server.downstream;

import io.millrace.server.config.Limits;
import io.millrace.server.downstream.Http2Windows.Window;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelPromise;
import io.netty.handler.codec.http2.Http2Stream;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * The body of one response as it leaves. It is written at once if the windows and the socket allow it. Otherwise it is
 * held here, in order. Tells when too many bytes are held, and since when none could be written. It is the stream's
 * window, too, because each frame needs both. Confined to the connection's event loop.
 */
final class Http2StreamOutput extends Window {
    private final Http2Output output;
    private final Http2Stream stream;
    private final Owner owner;
    private final int high;
    private final int low;
    private @Nullable ArrayDeque<ByteBuf> held;
    private int heldBytes;
    private @Nullable Notices notices;
    private boolean endHeld;
    private boolean ended;
    private boolean waiting;
    private boolean full;
    private long progressNs;

    /** Receives the events of the response. */
    interface Owner {
        /** The last frame was written. */
        void onEndWritten();

        /** The held bytes are few again, after they were too many. */
        void onRoom();
    }

    /** Actions that run when the kernel has the held bytes, by the number of bytes before them. */
    private static final class Notices {
        private final ArrayDeque<Runnable> runs = new ArrayDeque<>(2);
        private final ArrayDeque<Integer> behind = new ArrayDeque<>(2);

        void add(Runnable run, int bytes) {
            runs.add(run);
            behind.add(bytes);
        }

        /** Bytes that were written, and what to run then, or null. */
        @Nullable
        Runnable take(int bytes) {
            Runnable due = null;
            int count = behind.size();
            for (int i = 0; i < count; i++) {
                int left = behind.remove() - bytes;
                Runnable run = runs.remove();
                if (left > 0) {
                    behind.add(left);
                    runs.add(run);
                } else {
                    Runnable before = due;
                    due = before == null
                            ? run
                            : () -> {
                                before.run();
                                run.run();
                            };
                }
            }
            return due;
        }
    }

    Http2StreamOutput(Http2Output output, Http2Stream stream, Window window, Limits limits, Owner owner) {
        super(window);
        this.output = output;
        this.stream = stream;
        this.owner = owner;
        high = limits.highWatermark();
        low = limits.lowWatermark();
    }

    /** Bytes held. */
    int heldBytes() {
        return heldBytes;
    }

    /** Whether the upstream of this response may be read. */
    boolean isWritable() {
        return !full && !output.isFull();
    }

    /** Whether the end was written. */
    boolean ended() {
        return ended;
    }

    /** Since when bytes are held and none could be written; {@code nowNs} if none are held. */
    long stalledSinceNs(long nowNs) {
        return heldBytes > 0 ? progressNs : nowNs;
    }

    /** Makes a buffer for a payload, with spare bytes in front. */
    ByteBuf newBuffer(int payload) {
        return output.newBuffer(payload);
    }

    /**
     * Writes a part of the body, without a flush, or holds it.
     *
     * @param framed from {@link #newBuffer}, taken over; null for none
     * @param end whether it is the last
     * @param written runs when the kernel has it; may be null
     */
    void write(@Nullable ByteBuf framed, boolean end, @Nullable Runnable written) {
        ByteBuf payload = framed == null ? output.newBuffer(0) : framed;
        int length = payload.readableBytes();
        if (heldBytes == 0 && (length == 0 || length <= output.allowance(this))) {
            send(payload, end, written);
            return;
        }
        hold(payload, end, written);
        if (await()) {
            output.resume();
        }
    }

    /** Flushes what was written soon. */
    void flushSoon() {
        output.flushSoon();
    }

    /** Tries to write again: the stream's window may have grown. */
    void onWindow() {
        if (await()) {
            output.resume();
        }
    }

    /** Drops what is held. */
    void discard() {
        if (held != null) {
            held.forEach(ByteBuf::release);
            held = null;
            notices = null;
            output.hold(-heldBytes);
            heldBytes = 0;
        }
        ended = true;
    }

    /**
     * Writes one frame of the held bytes.
     *
     * @return whether it waits for another turn
     */
    boolean writeHeld() {
        waiting = false;
        int allowed = output.allowance(this);
        if (held == null || allowed == 0) {
            return await(held != null);
        }
        ByteBuf first = held.element();
        int length = first.readableBytes();
        ByteBuf frame;
        if (length <= allowed) {
            frame = held.remove();
        } else {
            length = allowed;
            frame = output.newBuffer(length).writeBytes(first, length);
        }
        boolean last = held.isEmpty();
        if (last) {
            held = null;
        }
        heldBytes -= length;
        progressNs = System.nanoTime();
        Runnable due = notices == null ? null : notices.take(length);
        send(frame, last && endHeld, due);
        output.hold(-length);
        if (full && heldBytes <= low) {
            full = false;
            owner.onRoom();
        }
        return await(held != null);
    }

    /** Queues for a turn where only the connection's window or the socket stops the stream from writing. */
    private boolean await(boolean more) {
        boolean waits = more && !waiting && size() > 0;
        waiting |= waits;
        return waits;
    }

    private boolean await() {
        boolean waits = await(held != null);
        if (waits) {
            output.await(this);
        }
        return waits;
    }

    private void hold(ByteBuf payload, boolean end, @Nullable Runnable written) {
        if (held == null) {
            held = new ArrayDeque<>(4);
            progressNs = System.nanoTime();
        }
        int length = payload.readableBytes();
        ByteBuf last = held.peekLast();
        if (length == 0) {
            payload.release();
        } else if (last != null && last.writableBytes() >= length) {
            last.writeBytes(payload);
            payload.release();
        } else {
            split(held, payload);
        }
        heldBytes += length;
        endHeld |= end;
        if (written != null) {
            notices = notices == null ? new Notices() : notices;
            notices.add(written, heldBytes);
        }
        full |= heldBytes >= high;
        output.hold(length);
    }

    /** Splits bytes that are longer than a frame. A few bytes get a buffer of their length. */
    private void split(ArrayDeque<ByteBuf> to, ByteBuf payload) {
        int all = payload.readableBytes();
        if (all <= Http2Output.MAX_PAYLOAD && all >= payload.capacity() / 4) {
            to.add(payload);
            return;
        }
        while (payload.isReadable()) {
            int length = Math.min(payload.readableBytes(), Http2Output.MAX_PAYLOAD);
            to.add(output.newBuffer(length).writeBytes(payload, length));
        }
        payload.release();
    }

    private void send(ByteBuf framed, boolean end, @Nullable Runnable written) {
        ChannelPromise promise = null;
        if (written != null) {
            promise = output.newPromise().addListener(done -> {
                if (done.isSuccess()) {
                    written.run();
                }
            });
        }
        ended |= end;
        output.write(stream, this, framed, end, promise);
        if (end) {
            owner.onEndWritten();
        }
    }
}
