package io.millrace.server.relay;

import io.millrace.server.format.Interpreter;
import io.netty.buffer.ByteBuf;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * The translation of one long request, such as one with images, beside the event loop, whose other streams it would hold
 * up. Few run at once and few wait, because each holds a body of megabytes.
 */
final class LongTranslation implements Runnable {
    /** What the process has for all of them. */
    static final ThreadPoolExecutor SHARED = newExecutor();

    private static final int THREADS = 2;
    private static final int WAITING = 16;
    private static final long IDLE_SECONDS = 30;

    private final Supplier<Interpreter> making;
    private final ByteBuf body;
    private final Executor eventLoop;
    private final Consumer<Interpreter> made;
    private final Consumer<Throwable> failed;
    private final AtomicBoolean taken = new AtomicBoolean();

    /**
     * @param body what {@code making} reads; ownership is transferred
     * @param eventLoop runs one of the two that follow, unless it is cancelled first
     */
    LongTranslation(
            Supplier<Interpreter> making,
            ByteBuf body,
            Executor eventLoop,
            Consumer<Interpreter> made,
            Consumer<Throwable> failed) {
        this.making = making;
        this.body = body;
        this.eventLoop = eventLoop;
        this.made = made;
        this.failed = failed;
    }

    static ThreadPoolExecutor newExecutor() {
        var executor = new ThreadPoolExecutor(
                THREADS,
                THREADS,
                IDLE_SECONDS,
                TimeUnit.SECONDS,
                new ArrayBlockingQueue<>(WAITING),
                new DefaultThreadFactory("long-translation", true));
        executor.allowCoreThreadTimeOut(true);
        return executor;
    }

    /** Has it done by {@code executor}; false if too many wait, and then nothing is held. */
    boolean start(ThreadPoolExecutor executor) {
        try {
            executor.execute(this);
            return true;
        } catch (RejectedExecutionException e) {
            cancel();
            return false;
        }
    }

    /**
     * The translation is not needed any more. If it has not begun, it never begins, and the body is released at once.
     *
     * @return false if it has begun, and will still be told of
     */
    boolean cancel() {
        boolean unbegun = taken.compareAndSet(false, true);
        if (unbegun) {
            body.release();
        }
        return unbegun;
    }

    @Override
    public void run() {
        if (!taken.compareAndSet(false, true)) {
            return;
        }
        Runnable then;
        try {
            Interpreter interpreter = making.get();
            then = () -> made.accept(interpreter);
        } catch (RuntimeException | Error e) {
            // An error, too, such as a stack that is too small for the request, must not leave it without an answer.
            then = () -> failed.accept(e);
        } finally {
            body.release();
        }
        eventLoop.execute(then);
    }
}
