package io.millrace.bench.doctor;

import io.millrace.bench.doctor.Answer.End;
import io.millrace.codec.dialect.StreamEnd;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
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
    private final Progress progress;
    private final List<Finding> findings = new ArrayList<>();
    private List<Hop> hops = List.of();
    private Source source = Source.UNKNOWN;

    Doctor(Target target, Probe probe, Progress progress) {
        this.target = target;
        this.probe = probe;
        this.progress = progress;
    }

    /**
     * Runs all examinations.
     *
     * @param idleSeconds how long a silence is tried, 0 for none
     * @param origin the origin of a page that reads answers, or {@code null}
     */
    Diagnosis examine(int idleSeconds, @Nullable String origin) {
        progress.waitsFor("waiting for a stream of " + TOKENS + " tokens, " + GAP_MS + " ms apart if a mock answers");
        Answer stream;
        try {
            stream = ask(PACED, STREAM_LIMIT_MS);
        } catch (IOException e) {
            wrong(Refusal.of(e), Refusal.words(e));
            return new Diagnosis(target, source, hops, null, findings);
        }
        hops = Hop.of(stream);
        Pacing pacing = judge(stream);
        if (pacing != null) {
            judgeErrors();
            if (source == Source.MOCK && idleSeconds > 0) {
                judgeIdle(idleSeconds);
            }
        }
        if (origin != null) {
            judgeCors(origin);
        }
        return new Diagnosis(target, source, hops, pacing, findings);
    }

    private void wrong(Ailment ailment, String evidence) {
        add(Finding.wrong(ailment, evidence, hops));
    }

    private void note(Ailment ailment, String evidence) {
        add(Finding.note(ailment, evidence, hops));
    }

    private void add(Finding finding) {
        findings.add(finding);
        progress.finds(finding);
    }

    private Answer ask(String spec, long limitMs) throws IOException {
        String model = target.model(spec);
        var headers = Map.of("Accept", "text/event-stream", "Accept-Encoding", "gzip");
        return probe.send("POST", target.path(model), headers, target.body(model), limitMs);
    }

    private @Nullable Pacing judge(Answer stream) {
        if (stream.status() != 200 || Refusal.isPage(stream)) {
            progress.sees(source, hops);
            wrong(Refusal.of(stream), Refusal.words(stream));
            return null;
        }
        if (!stream.isEventStream()) {
            progress.sees(source, hops);
            wrong(Ailment.CONTENT_TYPE, "Content-Type: " + stream.headers().getOrDefault("content-type", "none"));
            return null;
        }
        StreamView view = StreamView.of(stream, target.dialect());
        source = view.stamped() ? Source.MOCK : target.isMock() ? Source.NO_MOCK : Source.MODEL;
        progress.sees(source, hops);
        Pacing pacing = Pacing.of(
                view.outputs(),
                view.stamped(),
                stream.times().sentNs(),
                stream.times().endNs());
        progress.measures(pacing);
        judgeHead(stream);
        judgeEnd(stream, view);
        if (pacing.ailment() == Ailment.BURST) {
            note(Ailment.BURST, pacing.evidence());
        } else if (pacing.ailment() != null) {
            String likely = view.stamped() ? "" : " (by its pattern only: no mock's stamps tell when they were made)";
            wrong(pacing.ailment(), pacing.evidence() + likely);
        }
        return pacing;
    }

    private void judgeHead(Answer stream) {
        String type = stream.headers().getOrDefault("content-type", "");
        String lower = type.toLowerCase(Locale.ROOT);
        if (lower.contains("charset=") && !lower.contains("utf-8") && !lower.contains("utf8")) {
            wrong(Ailment.CHARSET, "Content-Type: " + type);
        }
        String coding = stream.header("content-encoding");
        if (coding != null && !coding.equals("identity")) {
            wrong(Ailment.COMPRESSED, "Content-Encoding: " + coding);
        }
        if (stream.header("content-length") != null) {
            String length = "Content-Length: " + stream.header("content-length");
            wrong(Ailment.CONTENT_LENGTH, length);
        }
        if (stream.version().equals("HTTP/1.0")) {
            wrong(Ailment.OLD_HTTP, "the status line says " + stream.version());
        }
        judgeCaching(stream);
    }

    private void judgeCaching(Answer stream) {
        String cache = stream.headers().getOrDefault("cache-control", "").toLowerCase(Locale.ROOT);
        boolean forbids = cache.contains("no-cache") || cache.contains("no-store") || cache.contains("private");
        boolean allows = cache.contains("public") || cache.contains("max-age") || cache.contains("immutable");
        if (allows && !forbids) {
            wrong(Ailment.CACHEABLE, "Cache-Control: " + cache);
        } else if (!cache.contains("no-transform")) {
            String seen = cache.isEmpty() ? "there is no Cache-Control" : "Cache-Control: " + cache;
            note(Ailment.CACHE_CONTROL, seen + ", so a proxy may compress: no-transform is missing");
        }
        // nginx removes this header.
        if (stream.header("x-accel-buffering") == null && hops.stream().noneMatch(Hop::isNginx)) {
            note(Ailment.ACCEL, "there is no X-Accel-Buffering");
        }
    }

    private void judgeEnd(Answer stream, StreamView view) {
        StreamEnd end = view.inspector().end();
        String after = " after " + view.outputs().size() + " tokens, "
                + String.format(Locale.ROOT, "%.1f s", stream.times().wholeNs() / NS_PER_S);
        boolean complete = end == StreamEnd.DONE || end == StreamEnd.TERMINAL || end == StreamEnd.FINISHED;
        if (end == StreamEnd.ERROR || end == StreamEnd.HIDDEN_ERROR) {
            String what = view.inspector().errorType() + ": " + view.inspector().errorMessage();
            wrong(Ailment.FAILED, what + after);
        } else if (stream.end() == End.RESET || stream.end() == End.CUT) {
            String how = stream.end() == End.RESET ? "the connection is reset" : "the connection ends inside the body";
            wrong(Ailment.TRUNCATED, how + after);
        } else if (!complete) {
            String how = stream.end() == End.OPEN ? "no end has come" : "the body ends";
            boolean lost = view.stamped() && view.outputs().size() < TOKENS;
            wrong(lost ? Ailment.TRUNCATED : Ailment.NO_TERMINAL, how + after);
        }
        boolean inOrder = IntStream.range(0, view.outputs().size())
                .allMatch(i -> view.outputs().get(i).index() == i);
        if (view.stamped() && (!inOrder || (complete && view.outputs().size() != TOKENS))) {
            String seen =
                    view.outputs().size() + " of " + TOKENS + " tokens, " + (inOrder ? "in order" : "out of order");
            wrong(Ailment.LOST, seen);
        }
    }

    private void judgeErrors() {
        try {
            String path = target.path(target.model());
            Answer answer = probe.send("POST", path, Map.of(), BROKEN, SHORT_LIMIT_MS);
            if (answer.status() < 400 || !ErrorShape.fits(target.dialect(), answer.text())) {
                String seen = "a broken request gets " + answer.status() + " and: " + Refusal.said(answer.text());
                wrong(Ailment.ERROR_SHAPE, seen);
            }
        } catch (IOException e) {
            wrong(Ailment.ERROR_SHAPE, "a broken request gets no answer: " + Refusal.words(e));
        }
    }

    /** The mock sends two tokens and then falls silent. If the stream ends too early, something on the way ended it. */
    private void judgeIdle(int idleSeconds) {
        progress.waitsFor("trying a silence of up to " + idleSeconds + " s (--idle 0 skips it)");
        long begin = System.nanoTime();
        double seconds;
        try {
            Answer answer = ask(SILENT, idleSeconds * 1_000L);
            boolean gaveUp = answer.status() == 502 || answer.status() == 504;
            if (answer.end() == End.OPEN || (answer.status() != 200 && !gaveUp) || hasEnded(answer)) {
                return;
            }
            long fromNs = gaveUp ? begin : lastOutputNs(answer);
            seconds = (answer.times().endNs() - fromNs) / NS_PER_S;
        } catch (IOException e) {
            seconds = (System.nanoTime() - begin) / NS_PER_S;
            if (seconds >= idleSeconds - 0.1) {
                return;
            }
        }
        wrong(
                Ailment.IDLE,
                String.format(
                        Locale.ROOT, "cut after %.1f s without a byte (looked for up to %d s)", seconds, idleSeconds));
    }

    /** Whether the server ended its answer, so that nothing was silent. */
    private boolean hasEnded(Answer answer) {
        StreamEnd end = StreamView.of(answer, target.dialect()).inspector().end();
        return end == StreamEnd.DONE || end == StreamEnd.TERMINAL || end == StreamEnd.FINISHED;
    }

    private long lastOutputNs(Answer answer) {
        var outputs = StreamView.of(answer, target.dialect()).outputs();
        return outputs.isEmpty()
                ? answer.times().lastNs()
                : outputs.get(outputs.size() - 1).atNs();
    }

    private void judgeCors(String origin) {
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
                wrong(Ailment.CORS, seen);
            }
        } catch (IOException e) {
            wrong(Ailment.CORS, "a preflight gets no answer: " + Refusal.words(e));
        }
    }
}
