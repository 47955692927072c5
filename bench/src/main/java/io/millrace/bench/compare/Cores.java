package io.millrace.bench.compare;

import java.io.IOException;
import java.util.List;
import java.util.stream.Collectors;

/** Assigns processors: one to the target and another to the mock and the client, or all to every process. */
final class Cores {
    private final List<Integer> allowed = Proc.allowedCores();

    /** Whether there are at least two processors. */
    boolean canSeparate() {
        return allowed.size() > 1;
    }

    /** Gives the first processor to the target and the second to the others. */
    void separate(List<Long> target, List<Long> others) throws IOException, InterruptedException {
        bind(allowed.subList(0, 1), target);
        bind(allowed.subList(1, 2), others);
    }

    /** Each process may use all processors. */
    void share(List<Long> target, List<Long> others) throws IOException, InterruptedException {
        bind(allowed, target);
        bind(allowed, others);
    }

    private static void bind(List<Integer> cores, List<Long> pids) throws IOException, InterruptedException {
        String list = cores.stream().map(String::valueOf).collect(Collectors.joining(","));
        for (long pid : pids) {
            // A process or thread that has ended is no error.
            new ProcessBuilder("taskset", "-acp", list, Long.toString(pid))
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start()
                    .waitFor();
        }
    }
}
