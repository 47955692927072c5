package io.millrace.server.memory;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.OperatingSystemMXBean;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class MachineTest {
    @Test
    void knowsThisMachine() {
        assertThat(Machine.memory()).isPositive();
        assertThat(Machine.processCpuNs()).isPositive();
        assertThat(Machine.openDescriptors()).isPositive().isLessThanOrEqualTo(Machine.maxDescriptors());
    }

    /** As JDK 17 does at the first call, and at each later one. */
    static Stream<Supplier<Object>> beansThatCannotBeMade() {
        return Stream.of(
                () -> {
                    throw new NullPointerException("anyController");
                },
                () -> {
                    throw new ExceptionInInitializerError(new NullPointerException("anyController"));
                },
                () -> {
                    throw new NoClassDefFoundError("Could not initialize class");
                },
                () -> "a bean of another kind");
    }

    @ParameterizedTest
    @MethodSource("beansThatCannotBeMade")
    void saysSoWhereTheJvmCannotTell(Supplier<Object> beans) {
        assertThat(Machine.ask(beans, OperatingSystemMXBean.class, OperatingSystemMXBean::getTotalMemorySize, -1L))
                .isEqualTo(-1);
    }
}
