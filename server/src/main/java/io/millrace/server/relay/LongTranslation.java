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
 * Translates one long request, such as one with images, on another thread, because it would delay the other streams of
 * the event loop. Few run at once and few wait, because each holds a body of megabytes.
 */
final class LongTranslation implements Runnable {
    /** The executor for all long translations of the process. */
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
     * @param body the body that {@code making} reads; ownership is transferred
     * @param eventLoop runs one of the two following actions, unless this is cancelled before
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

    /** Runs the translation on {@code executor}. Returns false if too many wait; then nothing is held. */
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
     * Cancels the translation. If it has not begun, it never begins, and the body is released at once.
     *
     * @return false if it has begun; its result will still be reported
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
            // Also for an Error, such as a stack that is too small for the request: the client must get an answer.
            then = () -> failed.accept(e);
        } finally {
            body.release();
        }
        eventLoop.execute(then);
    }
}
