package io.millrace.bench.compare;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/** Reads what Linux knows about processes and about the machine (proc(5)). */
final class Proc {
    /** Clock ticks a second. The value is part of the kernel's interface and cannot be configured. */
    private static final long TICKS_PER_SECOND = 100;

    private static final long NS_PER_TICK = TimeUnit.SECONDS.toNanos(1) / TICKS_PER_SECOND;

    private Proc() {}

    /** The ids of a process and of all its descendants. */
    static List<Long> tree(ProcessHandle root) {
        return Stream.concat(Stream.of(root), root.descendants())
                .map(ProcessHandle::pid)
                .toList();
    }

    /** Processor time of processes, including their ended threads, in nanoseconds. The resolution is 20 ms. */
    static long cpuNs(List<Long> pids) {
        return NS_PER_TICK * pids.stream().mapToLong(Proc::ticks).sum();
    }

    /** Processor time of all processes, including interrupts, in nanoseconds. */
    static long busyNs() {
        // cpu user nice system idle iowait irq softirq steal ..
        String[] fields =
                read(Path.of("/proc/stat")).lines().findFirst().orElseThrow().split(" +", -1);
        return NS_PER_TICK
                * LongStream.of(1, 2, 3, 6, 7)
                        .map(i -> Long.parseLong(fields[(int) i]))
                        .sum();
    }

    /** Resident memory of processes in KiB. A page that several of them share counts for each. */
    static long residentKiB(List<Long> pids) {
        return pids.stream().mapToLong(pid -> field(pid, "VmRSS:")).sum();
    }

    /** The most files that this process and its children may have open. */
    static int descriptorLimit() {
        return read(Path.of("/proc/self/limits"))
                .lines()
                .filter(line -> line.startsWith("Max open files"))
                .map(line -> line.split(" {2,}", -1)[1])
                .map(soft -> soft.equals("unlimited") ? Integer.MAX_VALUE : Integer.parseInt(soft))
                .findFirst()
                .orElseThrow();
    }

    /** The processors that this process may use. */
    static List<Integer> allowedCores() {
        String list = read(Path.of("/proc/self/status"))
                .lines()
                .filter(line -> line.startsWith("Cpus_allowed_list:"))
                .map(line -> line.substring(line.indexOf(':') + 1).strip())
                .findFirst()
                .orElseThrow();
        return Stream.of(list.split(",", -1)).flatMap(Proc::range).toList();
    }

    /** The name of the first processor. */
    static String processor() {
        return read(Path.of("/proc/cpuinfo"))
                .lines()
                .filter(line -> line.startsWith("model name"))
                .map(line -> line.substring(line.indexOf(':') + 1).strip())
                .findFirst()
                .orElse("unknown processor");
    }

    /** The memory of the machine in MiB. */
    static long memoryMiB() {
        String line = read(Path.of("/proc/meminfo")).lines().findFirst().orElseThrow();
        return Long.parseLong(line.replaceAll("[^0-9]", "")) / 1024;
    }

    private static Stream<Integer> range(String text) {
        int dash = text.indexOf('-');
        int first = Integer.parseInt(dash < 0 ? text : text.substring(0, dash));
        int last = dash < 0 ? first : Integer.parseInt(text.substring(dash + 1));
        return Stream.iterate(first, core -> core <= last, core -> core + 1);
    }

    /** The sum of the 14th and 15th field. The second field may contain spaces. */
    private static long ticks(long pid) {
        String stat = read(Path.of("/proc", Long.toString(pid), "stat"));
        if (stat.isEmpty()) {
            return 0;
        }
        String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
        return Long.parseLong(fields[11]) + Long.parseLong(fields[12]);
    }

    private static long field(long pid, String name) {
        return read(Path.of("/proc", Long.toString(pid), "status"))
                .lines()
                .filter(line -> line.startsWith(name))
                .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")))
                .findFirst()
                .orElse(0);
    }

    /** The text of the file; empty if the process has ended. */
    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (NoSuchFileException e) {
            return "";
        } catch (IOException e) {
            if ("No such process".equals(e.getMessage())) {
                return "";
            }
            throw new UncheckedIOException(e);
        }
    }
}
