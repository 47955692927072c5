package io.millrace.bench.doctor;

import io.millrace.bench.doctor.Answer.End;
import io.millrace.codec.dialect.StreamEnd;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Examines a target: asks for a paced stream and a silent one, sends a broken request and a preflight, and judges the
 * answers. It blocks.
 */
final class Doctor {
    private static final int TOKENS = 120;
    private static final int GAP_MS = 20;
    private static final String PACED = "tokens=" + TOKENS + ",gap_ms=" + GAP_MS + ",stamp=1";
    private static final String SILENT = "tokens=4,gap_ms=5,stall_after=2";
    private static final String BROKEN = "{\"model\":";
    private static final long STREAM_LIMIT_MS = 120_000;
    private static final long SHORT_LIMIT_MS = 30_000;
    private static final double NS_PER_S = 1e9;

    private final Target target;
    private final Probe probe;
    private final int idleSeconds;
    private final @Nullable String origin;
    private final List<Finding> findings = new ArrayList<>();

    /**
     * @param headers sent with each request, besides the dialect's
     * @param idleSeconds how long a silence is tried, 0 for none
     * @param origin the origin of a page that reads answers, or {@code null}
     */
    Doctor(Target target, Map<String, String> headers, int idleSeconds, @Nullable String origin) {
        this.target = target;
        var all = new HashMap<>(target.headers());
        all.putAll(headers);
        probe = new Probe(target.endpoint(target.model()), all);
        this.idleSeconds = idleSeconds;
        this.origin = origin;
    }

    /** Runs all examinations. */
    Diagnosis examine() {
        boolean silence = target.isMock() && idleSeconds > 0;
        var idle = silence ? CompletableFuture.supplyAsync(this::idle, Doctor::startBeside) : null;
        Answer stream;
        try {
            stream = ask(PACED, STREAM_LIMIT_MS);
        } catch (IOException e) {
            findings.add(Finding.wrong(Ailment.UNREACHABLE, String.valueOf(e.getMessage()), List.of()));
            return new Diagnosis(target, List.of(), null, findings);
        }
        List<Hop> hops = Hop.of(stream);
        Pacing pacing = judge(stream, hops);
        if (stream.status() == 200) {
            judgeErrors(hops);
            if (idle != null) {
                judgeIdle(idle.join(), hops);
            }
        }
        if (origin != null) {
            judgeCors(hops);
        }
        return new Diagnosis(target, hops, pacing, findings);
    }

    /** Runs a task on a daemon thread of its own. */
    private static void startBeside(Runnable task) {
        Thread thread = new Thread(task, "doctor-idle");
        thread.setDaemon(true);
        thread.start();
    }

    private Answer ask(String spec, long limitMs) throws IOException {
        String model = target.model(spec);
        var headers = Map.of("Accept", "text/event-stream", "Accept-Encoding", "gzip");
        return probe.send("POST", target.path(model), headers, target.body(model), limitMs);
    }

    private @Nullable Pacing judge(Answer stream, List<Hop> hops) {
        if (stream.status() != 200) {
            String text = stream.text();
            String start = text.substring(0, Math.min(300, text.length()));
            findings.add(Finding.wrong(Ailment.REFUSED, "status " + stream.status() + ": " + start, hops));
            return null;
        }
        judgeHead(stream, hops);
        if (!stream.isEventStream()) {
            return null;
        }
        StreamView view = StreamView.of(stream, target.dialect());
        judgeEnd(stream, view, hops);
        Pacing pacing = Pacing.of(
                view.outputs(),
                view.stamped(),
                stream.times().sentNs(),
                stream.times().endNs());
        if (pacing.ailment() != null) {
            String likely = view.stamped() ? "" : " (by its pattern only: no mock's stamps tell when they were made)";
            findings.add(Finding.wrong(pacing.ailment(), pacing.evidence() + likely, hops));
        }
        return pacing;
    }

    private void judgeHead(Answer stream, List<Hop> hops) {
        String type = stream.headers().getOrDefault("content-type", "");
        String lower = type.toLowerCase(Locale.ROOT);
        if (!stream.isEventStream()) {
            findings.add(Finding.wrong(Ailment.CONTENT_TYPE, "Content-Type: " + type, hops));
            return;
        }
        if (lower.contains("charset=") && !lower.contains("utf-8") && !lower.contains("utf8")) {
            findings.add(Finding.wrong(Ailment.CHARSET, "Content-Type: " + type, hops));
        }
        String coding = stream.header("content-encoding");
        if (coding != null && !coding.equals("identity")) {
            findings.add(Finding.wrong(Ailment.COMPRESSED, "Content-Encoding: " + coding, hops));
        }
        if (stream.header("content-length") != null) {
            String length = "Content-Length: " + stream.header("content-length");
            findings.add(Finding.wrong(Ailment.CONTENT_LENGTH, length, hops));
        }
        if (stream.version().equals("HTTP/1.0")) {
            findings.add(Finding.wrong(Ailment.OLD_HTTP, "the status line says " + stream.version(), hops));
        }
        judgeCaching(stream, hops);
    }

    private void judgeCaching(Answer stream, List<Hop> hops) {
        String cache = stream.headers().getOrDefault("cache-control", "").toLowerCase(Locale.ROOT);
        boolean forbids = cache.contains("no-cache") || cache.contains("no-store") || cache.contains("private");
        if (!forbids) {
            String seen = cache.isEmpty() ? "there is no Cache-Control" : "Cache-Control: " + cache;
            findings.add(Finding.wrong(Ailment.CACHE_CONTROL, seen, hops));
        } else if (!cache.contains("no-transform")) {
            String seen = "Cache-Control: " + cache + " lets proxies compress: no-transform is missing";
            findings.add(Finding.note(Ailment.CACHE_CONTROL, seen, hops));
        }
        // nginx removes this header.
        if (stream.header("x-accel-buffering") == null && hops.stream().noneMatch(Hop::isNginx)) {
            findings.add(Finding.note(Ailment.ACCEL, "there is no X-Accel-Buffering", hops));
        }
    }

    private void judgeEnd(Answer stream, StreamView view, List<Hop> hops) {
        StreamEnd end = view.inspector().end();
        String after = " after " + view.outputs().size() + " tokens, "
                + String.format(Locale.ROOT, "%.1f s", stream.times().wholeNs() / NS_PER_S);
        boolean complete = end == StreamEnd.DONE || end == StreamEnd.TERMINAL || end == StreamEnd.FINISHED;
        if (end == StreamEnd.ERROR || end == StreamEnd.HIDDEN_ERROR) {
            String what = view.inspector().errorType() + ": " + view.inspector().errorMessage();
            findings.add(Finding.wrong(Ailment.FAILED, what + after, hops));
        } else if (stream.end() == End.RESET || stream.end() == End.CUT) {
            String how = stream.end() == End.RESET ? "the connection is reset" : "the connection ends inside the body";
            findings.add(Finding.wrong(Ailment.TRUNCATED, how + after, hops));
        } else if (!complete) {
            String how = stream.end() == End.OPEN ? "no end has come" : "the body ends";
            boolean lost = target.isMock() && view.stamped() && view.outputs().size() < TOKENS;
            findings.add(Finding.wrong(lost ? Ailment.TRUNCATED : Ailment.NO_TERMINAL, how + after, hops));
        }
        boolean inOrder = IntStream.range(0, view.outputs().size())
                .allMatch(i -> view.outputs().get(i).index() == i);
        if (view.stamped() && (!inOrder || (complete && view.outputs().size() != TOKENS))) {
            String seen =
                    view.outputs().size() + " of " + TOKENS + " tokens, " + (inOrder ? "in order" : "out of order");
            findings.add(Finding.wrong(Ailment.LOST, seen, hops));
        }
    }

    private void judgeErrors(List<Hop> hops) {
        try {
            String path = target.path(target.model());
            Answer answer = probe.send("POST", path, Map.of(), BROKEN, SHORT_LIMIT_MS);
            if (answer.status() < 400 || !ErrorShape.fits(target.dialect(), answer.text())) {
                String text = answer.text().strip();
                String start = text.substring(0, Math.min(120, text.length()));
                String seen = "a broken request gets " + answer.status() + " and: " + start;
                findings.add(Finding.wrong(Ailment.ERROR_SHAPE, seen, hops));
            }
        } catch (IOException e) {
            findings.add(
                    Finding.wrong(Ailment.ERROR_SHAPE, "a broken request gets no answer: " + e.getMessage(), hops));
        }
    }

    /** After how many seconds of silence a stream was cut; negative if it was not. */
    private double idle() {
        long begin = System.nanoTime();
        try {
            Answer answer = ask(SILENT, idleSeconds * 1_000L);
            boolean refused = answer.status() != 200 && answer.status() != 504 && answer.status() != 502;
            return answer.end() == End.OPEN || refused
                    ? -1
                    : (answer.times().endNs() - answer.times().lastNs()) / NS_PER_S;
        } catch (IOException e) {
            double seconds = (System.nanoTime() - begin) / NS_PER_S;
            return seconds >= idleSeconds - 0.1 ? -1 : seconds;
        }
    }

    private void judgeIdle(double seconds, List<Hop> hops) {
        if (seconds >= 0) {
            String seen = String.format(
                    Locale.ROOT, "cut after %.1f s without a byte (looked for up to %d s)", seconds, idleSeconds);
            findings.add(Finding.wrong(Ailment.IDLE, seen, hops));
        }
    }

    private void judgeCors(List<Hop> hops) {
        try {
            var headers = Map.of(
                    "Origin", origin,
                    "Access-Control-Request-Method", "POST",
                    "Access-Control-Request-Headers", "authorization, content-type");
            Answer answer = probe.send("OPTIONS", target.path(target.model()), headers, "", SHORT_LIMIT_MS);
            String allowed = answer.headers().getOrDefault("access-control-allow-origin", "");
            if (answer.status() >= 300 || (!allowed.equals("*") && !allowed.equals(origin))) {
                String seen = "a preflight from " + origin + " gets " + answer.status()
                        + (allowed.isEmpty() ? " without Access-Control-Allow-Origin" : " and allows " + allowed);
                findings.add(Finding.wrong(Ailment.CORS, seen, hops));
            }
        } catch (IOException e) {
            findings.add(Finding.wrong(Ailment.CORS, "a preflight gets no answer: " + e.getMessage(), hops));
        }
    }
}
