package io.millrace.server.telemetry;

import static io.millrace.server.telemetry.Snapshots.counter;
import static io.millrace.server.telemetry.Snapshots.gauge;

import io.millrace.server.memory.Machine;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufAllocatorMetricProvider;
import io.prometheus.metrics.model.snapshots.InfoSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricSnapshot;
import io.prometheus.metrics.model.snapshots.SummarySnapshot;
import io.prometheus.metrics.model.snapshots.SummarySnapshot.SummaryDataPointSnapshot;
import java.io.IOException;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryUsage;
import java.lang.management.ThreadMXBean;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToLongFunction;

/** Metrics about the process and its JVM, under the names that Prometheus' clients give them. */
final class ProcessMetrics {
    private static final Path STATUS = Path.of("/proc/self/status");

    private ProcessMetrics() {}

    static List<MetricSnapshot> snapshots() {
        var all = new ArrayList<MetricSnapshot>();
        addProcess(all);
        addMemory(all);
        addThreads(all);
        all.add(collections());
        all.add(InfoSnapshot.builder()
                .name("jvm_runtime")
                .help("The JVM.")
                .dataPoint(new InfoSnapshot.InfoDataPointSnapshot(Labels.of(
                        "version",
                        Runtime.version().toString(),
                        "vendor",
                        System.getProperty("java.vm.vendor", ""),
                        "runtime",
                        System.getProperty("java.runtime.name", ""))))
                .build());
        return all;
    }

    private static void addProcess(List<MetricSnapshot> all) {
        all.add(gauge(
                "process_start_time_seconds",
                "When the process began, in seconds since 1970.",
                seconds(ManagementFactory.getRuntimeMXBean().getStartTime())));
        long cpuNs = Machine.processCpuNs();
        if (cpuNs >= 0) {
            all.add(counter("process_cpu_seconds", "The CPU time of the process.", Map.of(Labels.EMPTY, cpuNs / 1e9)));
        }
        long open = Machine.openDescriptors();
        if (open >= 0) {
            all.add(gauge("process_open_fds", "Open file descriptors.", open));
            all.add(gauge("process_max_fds", "File descriptors that may be open.", Machine.maxDescriptors()));
        }
        Map<String, Long> status = status();
        if (status.containsKey("VmRSS")) {
            all.add(gauge("process_resident_memory_bytes", "Memory in RAM.", status.get("VmRSS")));
        }
        if (status.containsKey("VmSize")) {
            all.add(gauge("process_virtual_memory_bytes", "Address space.", status.get("VmSize")));
        }
    }

    /** The sizes in the kernel's status of the process, in bytes; empty if there is no such status. */
    private static Map<String, Long> status() {
        var sizes = new HashMap<String, Long>();
        try {
            for (String line : Files.readAllLines(STATUS)) {
                String[] words = line.split("[:\\s]+", -1);
                if (words.length == 3 && words[2].equals("kB")) {
                    sizes.put(words[0], Long.parseLong(words[1]) * 1024);
                }
            }
        } catch (IOException e) {
            return Map.of();
        }
        return sizes;
    }

    private static void addMemory(List<MetricSnapshot> all) {
        all.add(gauge("jvm_memory_used_bytes", "Memory of the JVM in use.", areas(MemoryUsage::getUsed)));
        all.add(gauge("jvm_memory_committed_bytes", "Memory that the JVM has.", areas(MemoryUsage::getCommitted)));
        all.add(gauge(
                "jvm_memory_max_bytes",
                "Memory that the JVM may have; -1 without a limit.",
                areas(MemoryUsage::getMax)));
        all.add(gauge(
                "jvm_buffer_pool_used_bytes",
                "Memory of NIO buffers outside of the heap. Netty's own is not in it.",
                pools(BufferPoolMXBean::getMemoryUsed)));
        if (ByteBufAllocator.DEFAULT instanceof ByteBufAllocatorMetricProvider netty) {
            all.add(gauge(
                    "millrace_netty_direct_memory_bytes",
                    "Memory outside of the heap that Netty's allocator has taken.",
                    netty.metric().usedDirectMemory()));
        }
    }

    private static Map<Labels, Long> areas(ToLongFunction<MemoryUsage> value) {
        var memory = ManagementFactory.getMemoryMXBean();
        return Map.of(
                Labels.of("area", "heap"), value.applyAsLong(memory.getHeapMemoryUsage()),
                Labels.of("area", "nonheap"), value.applyAsLong(memory.getNonHeapMemoryUsage()));
    }

    private static Map<Labels, Long> pools(ToLongFunction<BufferPoolMXBean> value) {
        var points = new HashMap<Labels, Long>();
        for (BufferPoolMXBean pool : ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class)) {
            points.put(Labels.of("pool", pool.getName()), value.applyAsLong(pool));
        }
        return points;
    }

    private static void addThreads(List<MetricSnapshot> all) {
        ThreadMXBean threads = ManagementFactory.getThreadMXBean();
        all.add(gauge("jvm_threads_current", "Threads.", threads.getThreadCount()));
        all.add(gauge("jvm_threads_peak", "The most threads at one time.", threads.getPeakThreadCount()));
    }

    /** Pauses of collectors, and the time of those that run beside the program. */
    private static MetricSnapshot collections() {
        var summary = SummarySnapshot.builder()
                .name("jvm_gc_collection_seconds")
                .help("Collections by each of the JVM's collectors, and their time.");
        for (GarbageCollectorMXBean collector : ManagementFactory.getGarbageCollectorMXBeans()) {
            summary.dataPoint(SummaryDataPointSnapshot.builder()
                    .labels(Labels.of("gc", collector.getName()))
                    .count(Math.max(0, collector.getCollectionCount()))
                    .sum(Math.max(0, collector.getCollectionTime()) / 1e3)
                    .build());
        }
        return summary.build();
    }

    private static Map<Labels, Double> seconds(long ms) {
        return Map.of(Labels.EMPTY, ms / 1e3);
    }
}
