package io.millrace.server.relay;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.server.format.Interpreter;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class LongTranslationTest {
    private final ThreadPoolExecutor executor = LongTranslation.newExecutor();
    private final BlockingQueue<Runnable> eventLoop = new LinkedBlockingQueue<>();
    private final List<Throwable> failures = new ArrayList<>();
    private final CountDownLatch release = new CountDownLatch(1);

    @AfterEach
    void stop() {
        executor.shutdownNow();
    }

    @Test
    void tellsOfErrorsAndLetsGoOfTheBody() throws InterruptedException {
        ByteBuf body = Unpooled.buffer(1);
        var error = new StackOverflowError();
        assertThat(translation(body, () -> {
                            throw error;
                        })
                        .start(executor))
                .isTrue();
        eventLoop.take().run();
        assertThat(failures).containsExactly(error);
        assertThat(body.refCnt()).isZero();
    }

    @Test
    void refusesWhatWouldWaitTooLongAndLetsGoAtOnceOfWhatIsCancelled() throws InterruptedException {
        var bodies = new ArrayList<ByteBuf>();
        var waiting = new ArrayList<LongTranslation>();
        for (int i = 0; i < 18; i++) {
            bodies.add(Unpooled.buffer(1));
            waiting.add(translation(bodies.get(i), this::held));
            assertThat(waiting.get(i).start(executor)).isTrue();
        }
        ByteBuf tooMany = Unpooled.buffer(1);
        assertThat(translation(tooMany, this::held).start(executor)).isFalse();
        assertThat(tooMany.refCnt()).isZero();
        waiting.get(17).cancel();
        assertThat(bodies.get(17).refCnt()).isZero();
        release.countDown();
        for (int i = 0; i < 17; i++) {
            eventLoop.take();
        }
        assertThat(bodies).allMatch(body -> body.refCnt() == 0);
        executor.shutdown();
        assertThat(executor.awaitTermination(1, TimeUnit.MINUTES)).isTrue();
        assertThat(eventLoop).isEmpty();
    }

    private Interpreter held() {
        try {
            release.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return null;
    }

    private LongTranslation translation(ByteBuf body, Supplier<Interpreter> making) {
        return new LongTranslation(making, body, eventLoop::add, made -> {}, failures::add);
    }
}
