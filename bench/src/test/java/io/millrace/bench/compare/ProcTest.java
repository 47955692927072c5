package io.millrace.bench.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

@EnabledOnOs(OS.LINUX)
@Tag("sockets")
class ProcTest {
    private static final List<Long> SELF = List.of(ProcessHandle.current().pid());

    @Test
    void seesProcessorTimePass() {
        long before = Proc.cpuNs(SELF);
        long busyBefore = Proc.busyNs();

        await().pollInSameThread().pollDelay(Duration.ZERO).until(() -> Proc.cpuNs(SELF) > before);

        await().pollInSameThread().until(() -> Proc.busyNs() > busyBefore);
    }

    @Test
    void seesMemory() {
        assertThat(Proc.residentKiB(SELF)).isBetween(10_000L, Proc.memoryMiB() * 1024);
    }

    @Test
    void countsProcessThatIsGoneAsNothing() throws Exception {
        var gone = new ProcessBuilder("true").start();
        gone.waitFor();

        assertThat(Proc.cpuNs(List.of(gone.pid()))).isZero();
        assertThat(Proc.residentKiB(List.of(gone.pid()))).isZero();
    }

    @Test
    void findsWhatProcessStarted() throws Exception {
        var shell = new ProcessBuilder("sh", "-c", "sleep 60 & wait").start();
        try {
            await().until(() -> Proc.tree(shell.toHandle()).size() == 2);
        } finally {
            shell.descendants().forEach(ProcessHandle::destroy);
            shell.destroy();
        }
    }

    @Test
    void knowsTheMachine() {
        assertThat(Proc.allowedCores()).isNotEmpty().doesNotHaveDuplicates();
        assertThat(Proc.descriptorLimit()).isPositive();
        assertThat(Proc.processor()).isNotBlank();
    }
}
