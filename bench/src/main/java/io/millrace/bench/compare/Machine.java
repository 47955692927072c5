package io.millrace.bench.compare;

import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Map;

/**
 * The machine and the versions of a run.
 *
 * @param time when the run began
 * @param commit the commit of the sources
 * @param processor the name of the processor
 * @param cores how many processors this process may use
 * @param memoryMiB of the machine
 * @param kernel the version of the kernel
 * @param jdk of the mock, the client and Millrace
 * @param jvmFlags further flags for Millrace's JVM, from the environment
 * @param descriptors the limit of open files per process
 * @param versions the versions of the targets, by name
 */
record Machine(
        String time,
        String commit,
        String processor,
        int cores,
        long memoryMiB,
        String kernel,
        String jdk,
        String jvmFlags,
        int descriptors,
        Map<String, String> versions) {
    static Machine here(String commit, Map<String, String> versions) {
        return new Machine(
                Instant.now().truncatedTo(ChronoUnit.SECONDS).toString(),
                commit,
                Proc.processor(),
                Proc.allowedCores().size(),
                Proc.memoryMiB(),
                System.getProperty("os.name") + " " + System.getProperty("os.version"),
                System.getProperty("java.vm.name") + " " + System.getProperty("java.runtime.version"),
                System.getenv().getOrDefault("MILLRACE_OPTS", ""),
                Proc.descriptorLimit(),
                versions);
    }

    String text() {
        return processor + ", " + cores + " cores, " + memoryMiB / 1024 + " GiB, " + kernel + ", " + jdk;
    }
}
