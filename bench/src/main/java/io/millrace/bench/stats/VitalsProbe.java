package io.millrace.bench.stats;

import com.sun.management.GarbageCollectionNotificationInfo;
import io.millrace.server.memory.Machine;
import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import javax.management.ListenerNotFoundException;
import javax.management.Notification;
import javax.management.NotificationEmitter;
import javax.management.NotificationListener;
import javax.management.openmbean.CompositeData;

/** Watches this process from its construction to {@link #end}. */
public final class VitalsProbe {
    private final List<Thread> loops;
    private final long[] loopCpuNs;
    private final long beganNs = System.nanoTime();
    private final long processCpuNs;
    private final AtomicLong gcMs = new AtomicLong();
    private final AtomicLong gcLongestMs = new AtomicLong();
    private final NotificationListener listener = this::onNotification;

    /** @param loops the threads of the event loops */
    public VitalsProbe(List<Thread> loops) {
        this.loops = List.copyOf(loops);
        Machine.cpuLoad(); // the next call gives the load since this one
        processCpuNs = Machine.processCpuNs();
        loopCpuNs = cpuOfLoops();
        for (var collector : emitters()) {
            collector.addNotificationListener(listener, null, null);
        }
    }

    /** The result. May be called once. */
    public Vitals end() {
        for (var collector : emitters()) {
            try {
                collector.removeNotificationListener(listener);
            } catch (ListenerNotFoundException e) {
                throw new IllegalStateException(e);
            }
        }
        double ns = System.nanoTime() - beganNs;
        double busiest = Double.NaN;
        long[] cpu = cpuOfLoops();
        for (int i = 0; i < cpu.length; i++) {
            if (cpu[i] >= 0 && loopCpuNs[i] >= 0) {
                double share = (cpu[i] - loopCpuNs[i]) / ns;
                busiest = Double.isNaN(busiest) ? share : Math.max(busiest, share);
            }
        }
        double load = Machine.cpuLoad();
        return new Vitals(
                ns / 1e9,
                busiest,
                processCpuNs < 0 ? Double.NaN : (Machine.processCpuNs() - processCpuNs) / ns,
                load < 0 ? Double.NaN : load,
                gcMs.get() / 1e3,
                gcLongestMs.get(),
                Runtime.getRuntime().availableProcessors());
    }

    private long[] cpuOfLoops() {
        var threads = ManagementFactory.getThreadMXBean();
        boolean known = threads.isThreadCpuTimeSupported() && threads.isThreadCpuTimeEnabled();
        return loops.stream()
                .mapToLong(loop -> known ? threads.getThreadCpuTime(loop.getId()) : -1)
                .toArray();
    }

    private void onNotification(Notification notification, Object handback) {
        if (notification.getType().equals(GarbageCollectionNotificationInfo.GARBAGE_COLLECTION_NOTIFICATION)) {
            var info = GarbageCollectionNotificationInfo.from((CompositeData) notification.getUserData());
            if (!info.getGcName().contains("Concurrent") && !info.getGcName().contains("Cycles")) {
                long ms = info.getGcInfo().getDuration();
                gcMs.addAndGet(ms);
                gcLongestMs.accumulateAndGet(ms, Math::max);
            }
        }
    }

    private static List<NotificationEmitter> emitters() {
        var emitters = new ArrayList<NotificationEmitter>();
        for (GarbageCollectorMXBean collector : ManagementFactory.getGarbageCollectorMXBeans()) {
            if (collector instanceof NotificationEmitter emitter) {
                emitters.add(emitter);
            }
        }
        return emitters;
    }
}
