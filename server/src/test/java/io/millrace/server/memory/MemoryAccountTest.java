package io.millrace.server.memory;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.server.memory.MemoryAccount.Level;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MemoryAccountTest {
    @ParameterizedTest
    @CsvSource({
        "64, 64, 1000, 32",
        "64, 64, 0, 32",
        // a heap that takes all of a container leaves little
        "384, 384, 512, 64",
        "512, 512, 512, 32",
        // a limit of its own
        "16, 384, 512, 8"
    })
    void takesHalfOfWhatTheHeapLeavesAndTheJvmAllows(long maxDirect, long heap, long machine, long budget) {
        assertThat(MemoryBudget.buffers(maxDirect << 20, heap << 20, machine << 20))
                .isEqualTo(budget << 20);
    }

    @Test
    void knowsWhatThisJvmMayUse() {
        MemoryBudget budget = MemoryBudget.ofJvm();
        assertThat(budget.heap()).isEqualTo(Runtime.getRuntime().maxMemory() / 4);
        assertThat(budget.buffers()).isPositive();
        assertThat(budget.withBuffers(0)).isEqualTo(budget);
        assertThat(budget.withBuffers(100).requests()).isEqualTo(50);
        assertThat(budget.withBuffers(100).oneRequest()).isEqualTo(25);
    }

    @Test
    void addsUpWhatTheLoopsHold() {
        var account = new MemoryAccount(2, new MemoryBudget(100, 100));
        var relief = new AtomicInteger();
        account.loop(0).onFull(relief::incrementAndGet);
        account.loop(0).add(Held.CLIENTS, 40);
        account.loop(1).add(Held.REQUESTS, 30);
        assertThat(account.level()).isEqualTo(Level.ROOMY);
        account.loop(1).add(Held.FRAMES, 6);
        assertThat(account.level()).isEqualTo(Level.TIGHT);
        assertThat(account.loop(1).isTight()).isTrue();
        assertThat(account.loop(0).isTight()).as("until it counts").isFalse();
        assertThat(relief.get()).isZero();
        account.loop(0).add(Held.CLIENTS, 30);
        assertThat(account.level()).isEqualTo(Level.FULL);
        assertThat(relief.get()).isEqualTo(1);
        account.loop(0).add(Held.CLIENTS, -70);
        assertThat(account.relieved(Held.Pool.BUFFERS)).isTrue();
        assertThat(account.loop(1).isTight()).isFalse();
        assertThat(account.held(Held.CLIENTS)).isZero();
        assertThat(account.held(Held.Pool.BUFFERS)).isEqualTo(36);
    }

    @Test
    void knowsWhichLoopHoldsMoreThanItsShare() {
        var account = new MemoryAccount(2, new MemoryBudget(100, 100));
        account.loop(0).add(Held.CLIENTS, 95);
        account.loop(1).add(Held.FRAMES, 10);
        assertThat(account.level(Held.Pool.BUFFERS)).isEqualTo(Level.FULL);
        assertThat(account.loop(0).isOverShare(Held.Pool.BUFFERS)).isTrue();
        assertThat(account.loop(1).isOverShare(Held.Pool.BUFFERS)).isFalse();
        account.loop(0).add(Held.CLIENTS, -58);
        assertThat(account.loop(0).isOverShare(Held.Pool.BUFFERS)).isFalse();
    }

    @Test
    void keepsTheHeapApart() {
        var account = new MemoryAccount(1, new MemoryBudget(1000, 100));
        assertThat(account.loop(0).take(Held.TRANSLATIONS, 101)).isFalse();
        assertThat(account.loop(0).take(Held.TRANSLATIONS, 90)).isTrue();
        assertThat(account.level()).isEqualTo(Level.TIGHT);
        assertThat(account.level(Held.Pool.BUFFERS)).isEqualTo(Level.ROOMY);
        assertThat(account.loop(0).takeForRequest(500)).isTrue();
        assertThat(account.loop(0).takeForRequest(1)).isFalse();
    }
}
