package io.millrace.bench.report;

import io.millrace.bench.stream.StreamSample;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Writes a line per stream. It takes samples on event loops without blocking them, and writes on its own thread. If the
 * disk is too slow, samples are dropped and counted.
 */
public final class CsvWriter implements Consumer<StreamSample>, AutoCloseable {
    private static final String HEAD =
            "load,stream,outcome,detail,client,status,scheduled_ms,ttft_ms,ttft_sent_ms,first_byte_ms,first_frame_ms,"
                    + "first_reasoning_ms,first_content_ms,e2e_ms,tpot_ms,longest_gap_ms,stalls,connect_ms,frames,"
                    + "output_frames,reads,bytes,input_tokens,output_tokens,turn\n";
    private static final int QUEUE = 100_000;
    private static final double NS_PER_MS = 1e6;

    private final BufferedWriter out;
    private final ArrayBlockingQueue<Line> queue = new ArrayBlockingQueue<>(QUEUE);
    private final AtomicLong dropped = new AtomicLong();
    private final Thread thread = new Thread(this::writeAll, "csv");
    private volatile String load = "";
    private volatile long baseNs;
    private volatile @Nullable IOException failure;

    /** A sample and its load. A line without a sample ends the file. */
    private record Line(String load, long baseNs, @Nullable StreamSample sample) {}

    /** Creates the file and writes its head. */
    public CsvWriter(Path file) throws IOException {
        out = Files.newBufferedWriter(file);
        out.write(HEAD);
        thread.setDaemon(true);
        thread.start();
    }

    /** The samples that follow belong to this load. Their times count from now. */
    public void begin(String load) {
        this.load = load;
        baseNs = System.nanoTime();
    }

    @Override
    public void accept(StreamSample sample) {
        if (!queue.offer(new Line(load, baseNs, sample))) {
            dropped.incrementAndGet();
        }
    }

    /** How many streams were dropped. */
    public long dropped() {
        return dropped.get();
    }

    /** Waits until all is written. */
    @Override
    public void close() throws IOException {
        try {
            queue.put(new Line("", 0, null));
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        out.close();
        if (failure != null) {
            throw failure;
        }
    }

    private void writeAll() {
        try {
            for (var line = queue.take(); line.sample != null; line = queue.take()) {
                write(line, line.sample);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (UncheckedIOException e) {
            failure = e.getCause();
            queue.clear();
        }
    }

    private void write(Line line, StreamSample sample) {
        long from = sample.scheduledNs();
        try {
            out.write(String.join(
                            ",",
                            line.load,
                            Long.toString(sample.index()),
                            sample.outcome().label(),
                            quoted(sample.detail()),
                            sample.behaviour().kind().name().toLowerCase(Locale.ROOT),
                            Integer.toString(sample.status()),
                            ms(from - line.baseNs),
                            since(from, sample.firstOutputNs()),
                            since(sample.sentNs(), sample.firstOutputNs()),
                            since(from, sample.firstByteNs()),
                            since(from, sample.firstFrameNs()),
                            since(from, sample.firstReasoningNs()),
                            since(from, sample.firstContentNs()),
                            since(from, sample.endNs()),
                            Double.isNaN(sample.tpotNs()) ? "" : ms((long) sample.tpotNs()),
                            sample.outputs() < 2 ? "" : ms(sample.longestGapNs()),
                            Long.toString(sample.stalls()),
                            sample.connectNs() < 0 ? "" : ms(sample.connectNs()),
                            Long.toString(sample.frames()),
                            Long.toString(sample.outputs()),
                            Long.toString(sample.reads()),
                            Long.toString(sample.bytes()),
                            known(sample.inputTokens()),
                            known(sample.outputTokens()),
                            sample.turn() < 0 ? "" : Integer.toString(sample.turn() + 1))
                    + "\n");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String since(long fromNs, long whenNs) {
        return whenNs == 0 || fromNs == 0 ? "" : ms(whenNs - fromNs);
    }

    private static String ms(long ns) {
        return String.format(Locale.ROOT, "%.3f", ns / NS_PER_MS);
    }

    private static String known(long tokens) {
        return tokens < 0 ? "" : Long.toString(tokens);
    }

    private static String quoted(String text) {
        boolean plain = text.chars().noneMatch(c -> c == ',' || c == '"' || c == '\n' || c == '\r');
        return plain ? text : '"' + text.replace("\"", "\"\"") + '"';
    }
}
