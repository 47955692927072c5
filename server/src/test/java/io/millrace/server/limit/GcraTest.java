package io.millrace.server.limit;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.server.limit.Gcra.Rate;
import java.util.ArrayList;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class GcraTest {
    private static final long SECOND = TimeUnit.SECONDS.toNanos(1);
    private static final Rate TEN_A_SECOND = Rate.of(10, TimeUnit.SECONDS, 20);

    /** A bucket as it is usually written: a level, and the time at which it was right. */
    private static final class Bucket {
        private final double perNs;
        private final double most;
        private double level;
        private long atNs;

        Bucket(double perSecond, double most, long nowNs) {
            perNs = perSecond / SECOND;
            this.most = most;
            level = most;
            atNs = nowNs;
        }

        void pass(long nowNs) {
            level = Math.min(most, level + (nowNs - atNs) * perNs);
            atNs = nowNs;
        }

        boolean take(double cost) {
            if (level < cost) {
                return false;
            }
            level -= cost;
            return true;
        }
    }

    @Test
    void doesWhatANaiveBucketDoes() {
        var random = new SplittableRandom(5);
        for (int round = 0; round < 200; round++) {
            int perSecond = random.nextInt(1, 1000);
            int most = random.nextInt(1, 500);
            long nowNs = random.nextLong();
            var rate = Rate.of(perSecond, TimeUnit.SECONDS, most);
            var gcra = new Gcra(nowNs);
            var naive = new Bucket(perSecond, most, nowNs);
            for (int i = 0; i < 500; i++) {
                nowNs += random.nextLong(4 * SECOND / perSecond);
                naive.pass(nowNs);
                int cost = random.nextInt(10) == 0 ? random.nextInt(1, most + 1) : 1;
                if (Math.abs(naive.level - cost) < 0.001) {
                    continue; // too close for two ways to calculate
                }
                if (random.nextInt(5) == 0) {
                    int more = random.nextInt(-3, 10);
                    if (more > 0 || naive.level - more <= most) { // what overflows is lost in both, but at other times
                        gcra.settle(rate, more, nowNs);
                        naive.level -= more;
                    }
                    continue;
                }
                assertThat(gcra.take(rate, cost, nowNs) == 0).isEqualTo(naive.take(cost));
                assertThat((double) gcra.remaining(rate, nowNs))
                        .isBetween(Math.max(0, naive.level) - 1.01, Math.max(0, naive.level) + 0.01);
            }
        }
    }

    @Test
    void saysHowLongToWait() {
        var gcra = new Gcra(0);
        for (int i = 0; i < 20; i++) {
            assertThat(gcra.take(TEN_A_SECOND, 1, 0)).isZero();
        }
        long waitNs = gcra.take(TEN_A_SECOND, 1, 0);
        assertThat(waitNs).isEqualTo(SECOND / 10);
        assertThat(gcra.take(TEN_A_SECOND, 1, waitNs - 1)).isEqualTo(1);
        assertThat(gcra.take(TEN_A_SECOND, 1, waitNs)).isZero();
    }

    @Test
    void debtMustBePaidFirst() {
        var gcra = new Gcra(0);
        gcra.settle(TEN_A_SECOND, 50, 0);
        assertThat(gcra.remaining(TEN_A_SECOND, 0)).isZero();
        assertThat(gcra.take(TEN_A_SECOND, 1, 0)).isEqualTo(3 * SECOND + SECOND / 10);
        assertThat(gcra.take(TEN_A_SECOND, 1, 3 * SECOND + SECOND / 10)).isZero();
        assertThat(gcra.untilFullNs(0)).isPositive();
    }

    @Test
    void givesBackNoMoreThanAFullBucketHolds() {
        var gcra = new Gcra(0);
        gcra.take(TEN_A_SECOND, 5, 0);
        gcra.settle(TEN_A_SECOND, -5, 10 * SECOND);
        assertThat(gcra.remaining(TEN_A_SECOND, 10 * SECOND)).isEqualTo(20);
        assertThat(gcra.take(TEN_A_SECOND, 20, 10 * SECOND)).isZero();
        assertThat(gcra.take(TEN_A_SECOND, 1, 10 * SECOND)).isPositive();
    }

    @Test
    void ofManyAtOnceAsManyGetSomeAsThereIs() throws InterruptedException {
        var gcra = new Gcra(0);
        var rate = Rate.of(10, TimeUnit.HOURS, 10);
        var taken = new AtomicInteger();
        var start = new CountDownLatch(1);
        var threads = new ArrayList<Thread>();
        for (int i = 0; i < 100; i++) {
            var thread = new Thread(() -> {
                try {
                    start.await();
                } catch (InterruptedException e) {
                    return;
                }
                if (gcra.take(rate, 1, 0) == 0) {
                    taken.incrementAndGet();
                }
            });
            thread.start();
            threads.add(thread);
        }
        start.countDown();
        for (Thread thread : threads) {
            thread.join();
        }
        assertThat(taken).hasValue(10);
    }
}
