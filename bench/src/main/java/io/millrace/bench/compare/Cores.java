package io.millrace.bench.compare;

import java.io.IOException;
import java.util.List;
import java.util.stream.Collectors;

/** Which processors whom: one for the target and another for all that measures it, or all for everyone. */
final class Cores {
    private final List<Integer> allowed = Proc.allowedCores();

    /** Whether there are two to be kept apart. */
    boolean canSeparate() {
        return allowed.size() > 1;
    }

    /** The target gets the first, the others the second. */
    void separate(List<Long> target, List<Long> others) throws IOException, InterruptedException {
        bind(allowed.subList(0, 1), target);
        bind(allowed.subList(1, 2), others);
    }

    /** Everyone gets all. */
    void share(List<Long> target, List<Long> others) throws IOException, InterruptedException {
        bind(allowed, target);
        bind(allowed, others);
    }

    private static void bind(List<Integer> cores, List<Long> pids) throws IOException, InterruptedException {
        String list = cores.stream().map(String::valueOf).collect(Collectors.joining(","));
        for (long pid : pids) {
            // A process that is gone, or a thread of it, is no concern.
            new ProcessBuilder("taskset", "-acp", list, Long.toString(pid))
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start()
                    .waitFor();
        }
    }
}
