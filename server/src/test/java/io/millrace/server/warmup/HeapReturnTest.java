package io.millrace.server.warmup;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.HotSpotDiagnosticMXBean;
import java.lang.management.ManagementFactory;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HeapReturnTest {
    private static final long MIB = 1 << 20;

    @ParameterizedTest
    @CsvSource({"8, 1238, 99", "8, 400, 97", "8, 26, 69", "26, 26, 0", "30, 26, 0"})
    void theHeapGetsNoLargerThanItWas(long usedMib, long sizeMib, int share) {
        assertThat(HeapReturn.freeShare(usedMib * MIB, sizeMib * MIB)).isEqualTo(share);
    }

    @Test
    void theJvmsOptionsAreAsBefore() {
        List<String> before = options();

        HeapReturn.run();

        assertThat(options()).isEqualTo(before);
    }

    private static List<String> options() {
        var jvm = ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class);
        return List.of(
                jvm.getVMOption("MinHeapFreeRatio").getValue(),
                jvm.getVMOption("MaxHeapFreeRatio").getValue());
    }
}
