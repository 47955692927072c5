package io.millrace.bench.load;

import io.millrace.bench.stream.Outcome;
import io.millrace.bench.stream.StreamDetails;
import io.millrace.bench.stream.StreamObserver;
import io.millrace.bench.stream.StreamSample;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.HdrHistogram.Histogram;

/** Counts the streams and frames of one run. Lives on one event loop. */
final class Recorder implements StreamObserver {
    private static final long LONGEST_NS = TimeUnit.SECONDS.toNanos(100);
    private static final int DIGITS = 3;
    private static final int MAX_KINDS_OF_FAILURE = 20;

    private final Histogram ttft = new Histogram(LONGEST_NS, DIGITS);
    private final Histogram delay = new Histogram(LONGEST_NS, DIGITS);
    private final Map<String, Long> failures = new TreeMap<>();
    private boolean recording;
    private long windowBeginNs;
    private long windowNs;
    private long frames;
    private long framesInAll;
    private long streams;
    private long completed;
    private long lost;
    private long unfinished;
    private long shortestBody = Long.MAX_VALUE;
    private long longestBody;

    void beginWindow() {
        recording = true;
        windowBeginNs = System.nanoTime();
    }

    void endWindow() {
        recording = false;
        windowNs = System.nanoTime() - windowBeginNs;
    }

    @Override
    public void onFirstByte(long sentNs, long nowNs) {
        if (recording && sentNs - windowBeginNs >= 0) {
            ttft.recordValue(inRange(nowNs - sentNs));
        }
    }

    void onFrame() {
        framesInAll++;
        if (recording) {
            frames++;
        }
    }

    void onStamp(long madeNs, long nowNs) {
        if (recording) {
            delay.recordValue(inRange(nowNs - madeNs));
        }
    }

    @Override
    public void onEnd(StreamSample stream, StreamDetails details) {
        if (stream.outcome() == Outcome.COMPLETED) {
            onCompleted(stream.bytes());
        } else if (stream.outcome() != Outcome.UNFINISHED && stream.outcome() != Outcome.INTERRUPTED) {
            onLost(words(stream));
        } else if (stream.sentNs() != 0) {
            unfinished++;
        }
    }

    private static String words(StreamSample stream) {
        return switch (stream.outcome()) {
            case CONNECT -> "connect: " + stream.detail();
            case STATUS -> "status " + stream.status();
            case NO_ANSWER, RESET ->
                stream.detail().equals("reset")
                        ? "connection: reset"
                        : stream.status() == 0 ? "closed before the head" : "cut: closed inside the body";
            default -> stream.detail();
        };
    }

    private void onCompleted(long bodyBytes) {
        completed++;
        if (recording) {
            streams++;
        }
        shortestBody = Math.min(shortestBody, bodyBytes);
        longestBody = Math.max(longestBody, bodyBytes);
    }

    private void onLost(String what) {
        lost++;
        boolean known = failures.containsKey(what) || failures.size() < MAX_KINDS_OF_FAILURE;
        failures.merge(known ? what : "others", 1L, Long::sum);
    }

    long frames() {
        return framesInAll;
    }

    long completed() {
        return completed;
    }

    long lost() {
        return lost;
    }

    /** Streams that were in progress when the run was stopped. */
    long unfinished() {
        return unfinished;
    }

    LoadReport report(long unfinished) {
        return new LoadReport(
                windowNs,
                frames,
                streams,
                ttft.copy(),
                delay.copy(),
                completed,
                unfinished,
                completed == 0 ? 0 : shortestBody,
                longestBody,
                Map.copyOf(failures));
    }

    private static long inRange(long ns) {
        return Math.max(0, Math.min(LONGEST_NS, ns));
    }
}
