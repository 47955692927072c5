package io.millrace.server.replay;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class ReplayMemoryTest {
    private static final int ALL = 1 << 20;

    private final ReplayMemory memory = new ReplayMemory(ALL);
    private final ArrayDeque<Runnable> first = new ArrayDeque<>();
    private final ArrayDeque<Runnable> second = new ArrayDeque<>();
    private final List<String> done = new ArrayList<>();

    private static void run(ArrayDeque<Runnable> loop) {
        while (!loop.isEmpty()) {
            loop.remove().run();
        }
    }

    private Runnable step(String name) {
        return () -> done.add(name);
    }

    @Test
    void allLoopsDoAStepBeforeAnyDoesTheNext() {
        memory.onTight(first::add, List.of(step("first drops"), step("first gives up")));
        memory.onTight(second::add, List.of(step("second drops"), step("second gives up")));
        memory.take(ALL);
        run(first);
        assertThat(done).containsExactly("first drops");
        run(second);
        run(first);
        run(second);
        assertThat(done).containsExactly("first drops", "second drops", "second gives up", "first gives up");
    }

    @Test
    void nothingIsGivenUpIfAnotherLoopHasMadeRoom() {
        memory.onTight(first::add, List.of(step("first drops"), step("first gives up")));
        memory.onTight(second::add, List.of(() -> memory.giveBack(ALL / 2), step("second gives up")));
        memory.take(ALL);
        run(first);
        run(second);
        run(first);
        assertThat(done).containsExactly("first drops");
    }

    @Test
    void memoryThatIsTightAgainIsRelievedAgain() {
        memory.onTight(first::add, List.of(() -> memory.giveBack(ALL), step("gives up")));
        for (int i = 0; i < 3; i++) {
            assertThat(memory.take(ALL)).isTrue();
            assertThat(first).hasSize(1);
            run(first);
            assertThat(memory.held()).isZero();
        }
        assertThat(done).isEmpty();
    }

    @Test
    void isRelievedAgainIfNothingHelped() {
        memory.onTight(first::add, List.of(step("gives up")));
        memory.take(ALL);
        run(first);
        assertThat(memory.take(1)).isFalse();
        run(first);
        assertThat(done).containsExactly("gives up", "gives up");
    }
}
