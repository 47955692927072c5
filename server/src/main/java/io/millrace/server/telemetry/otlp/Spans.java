package io.millrace.server.telemetry.otlp;

import static java.util.Objects.requireNonNull;

import io.millrace.codec.dialect.Dialect;
import io.millrace.codec.dialect.Usage;
import io.millrace.server.address.ClientAddress;
import io.millrace.server.config.Upstream;
import io.millrace.server.telemetry.Outcome;
import io.millrace.server.telemetry.Summary;
import io.millrace.server.telemetry.Timeline;
import io.millrace.server.telemetry.Trace;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.common.AttributesBuilder;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.TraceFlags;
import io.opentelemetry.api.trace.TraceState;
import io.opentelemetry.sdk.trace.data.EventData;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.data.StatusData;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Makes spans of exchanges that have ended: one of the exchange, and one of each attempt. They have the facts of the
 * access log, and nothing of bodies, headers or queries.
 *
 * @param offsetNs what {@link System#nanoTime()} lacks to nanoseconds since 1970
 * @param upstreams those that are configured, by name
 */
record Spans(FinishedSpan.Origin origin, long offsetNs, Map<String, Upstream> upstreams) {
    private static final double NS_PER_S = 1e9;
    private static final int SERVER_FAULT = 500;

    /** The spans of one exchange, whose trace is recorded. */
    List<SpanData> of(Summary summary) {
        Trace trace = requireNonNull(summary.request().correlation().trace(), "it is recorded");
        var spans = new ArrayList<SpanData>();
        spans.add(exchange(summary, trace));
        for (Trace.Attempt attempt : trace.attempts()) {
            spans.add(attempt(summary, trace, attempt, spans.size()));
        }
        return spans;
    }

    private SpanData exchange(Summary summary, Trace trace) {
        Timeline time = summary.timeline();
        String error = error(summary.response());
        var events = new ArrayList<EventData>();
        addFirstOutput(events, time.firstOutputWrittenNs);
        addError(events, time.endNs, error);
        String parent = trace.parentId();
        return new FinishedSpan(
                origin,
                exchangeName(summary.request()),
                SpanKind.SERVER,
                context(trace, trace.spanId()),
                parent == null ? SpanContext.getInvalid() : remote(trace, parent),
                time.startNs + offsetNs,
                time.endNs + offsetNs,
                exchangeAttributes(summary, error),
                events,
                status(isFault(summary.response()) ? error : null));
    }

    private static Attributes exchangeAttributes(Summary summary, @Nullable String error) {
        Summary.Request request = summary.request();
        Summary.Response response = summary.response();
        AttributesBuilder to = Attributes.builder();
        put(to, Names.METHOD, request.method());
        put(to, Names.PATH, request.path());
        put(to, Names.CLIENT_ADDRESS, ClientAddress.text(request.client()));
        if (response.status() > 0) {
            to.put(Names.STATUS, response.status());
        }
        to.put(Names.REQUEST_SIZE, request.bytes());
        to.put(Names.RESPONSE_SIZE, response.bytes());
        put(to, Names.ERROR, error);
        put(to, Names.REQUEST_ID, request.id());
        put(to, Names.DIALECT, request.dialect());
        put(to, Names.REQUEST_MODEL, request.model());
        put(to, Names.ROUTE, summary.attempts().route());
        put(to, Names.UPSTREAM, summary.attempts().last().upstream());
        put(to, Names.CLIENT, request.caller());
        to.put(Names.OUTCOME, response.outcome().label());
        to.put(Names.ATTEMPTS, summary.attempts().begun());
        return to.build();
    }

    /** The method, and the path if it is one of the few of a dialect. */
    private static String exchangeName(Summary.Request request) {
        String path = request.path() == null ? "" : request.path();
        boolean few =
                Dialect.ofPath(path) != Dialect.UNKNOWN && !request.dialect().equals(Dialect.GEMINI.label());
        return request.method() + (few ? " " + path : "");
    }

    private SpanData attempt(Summary summary, Trace trace, Trace.Attempt attempt, int number) {
        Trace.Asked asked = attempt.asked();
        boolean answered = isAnswer(attempt, summary.attempts().last());
        String error = attempt.failure();
        if (error == null && answered && isUpstreams(summary.response().outcome())) {
            error = summary.response().outcome().label();
        }
        long endNs = attempt.endNs() == 0 ? summary.timeline().endNs : attempt.endNs();
        var events = new ArrayList<EventData>();
        if (answered) {
            addFirstOutput(events, summary.timeline().firstOutputNs);
        }
        addError(events, endNs, error);
        String model = asked.model() == null ? summary.request().model() : asked.model();
        AttributesBuilder to = Attributes.builder();
        to.put(Names.UPSTREAM, asked.upstream()).put(Names.ATTEMPT, number);
        Provider.addServer(to, URI.create(asked.origin()));
        put(to, Names.ERROR, error);
        put(to, Names.REQUEST_MODEL, model);
        String operation = model == null
                ? null
                : Provider.operation(asked.dialect(), summary.request().path());
        if (operation != null) {
            to.put(Names.OPERATION, operation);
            to.put(Names.PROVIDER, Provider.name(upstreams.get(asked.upstream()), asked.upstream(), asked.dialect()));
        }
        if (answered) {
            addAnswer(to, summary, asked);
        }
        return new FinishedSpan(
                origin,
                operation == null ? String.valueOf(summary.request().method()) : operation + ' ' + model,
                SpanKind.CLIENT,
                context(trace, attempt.spanId()),
                context(trace, trace.spanId()),
                attempt.startNs() + offsetNs,
                endNs + offsetNs,
                to.build(),
                events,
                status(error));
    }

    private static void addAnswer(AttributesBuilder to, Summary summary, Trace.Asked asked) {
        Timeline time = summary.timeline();
        Summary.Stream stream = summary.stream();
        put(to, Names.UPSTREAM_REQUEST_ID, summary.attempts().last().requestId());
        to.put(Names.REQUEST_STREAM, stream != null);
        if (time.headNs != 0 && summary.response().status() > 0) {
            to.put(Names.STATUS, summary.response().status());
        }
        Summary.Whole whole = summary.response().whole();
        put(to, Names.RESPONSE_MODEL, stream == null ? whole.model() : stream.model());
        String finish = stream == null ? whole.finishReason() : stream.finishReason();
        if (finish != null) {
            to.put(Names.FINISH_REASONS, List.of(finish));
        }
        if (time.firstOutputNs != 0) {
            to.put(Names.FIRST_CHUNK_S, time.upstreamTtftNs() / NS_PER_S);
        }
        Usage usage = summary.usage();
        long beside = asked.dialect().equals(Dialect.MESSAGES.label())
                ? Math.max(0, usage.cachedTokens()) + Math.max(0, usage.cacheWriteTokens())
                : 0;
        put(to, Names.INPUT_TOKENS, usage.inputTokens() < 0 ? -1 : usage.inputTokens() + beside);
        put(to, Names.OUTPUT_TOKENS, usage.outputTokens());
        put(to, Names.CACHED_TOKENS, usage.cachedTokens());
        put(to, Names.CACHE_WRITE_TOKENS, usage.cacheWriteTokens());
        put(to, Names.REASONING_TOKENS, usage.reasoningTokens());
    }

    @SuppressWarnings("ReferenceEquality")
    private static boolean isAnswer(Trace.Attempt attempt, Summary.Asked last) {
        return attempt == last.traced();
    }

    private static @Nullable String error(Summary.Response response) {
        if (response.error() != null) {
            return response.error();
        }
        return isUpstreams(response.outcome()) ? response.outcome().label() : null;
    }

    /** Whether the span of the exchange has failed. Faults of the client are none of the server's. */
    private static boolean isFault(Summary.Response response) {
        Outcome outcome = response.outcome();
        return outcome == Outcome.DRAINED
                || outcome == Outcome.OVERLOADED
                || (isUpstreams(outcome) && (response.status() < 400 || response.status() >= SERVER_FAULT));
    }

    private static boolean isUpstreams(Outcome outcome) {
        return switch (outcome) {
            case UPSTREAM_ERROR,
                    UPSTREAM_FAILED,
                    UPSTREAM_TRUNCATED,
                    UPSTREAM_RESET,
                    UPSTREAM_IDLE,
                    UPSTREAM_NO_OUTPUT -> true;
            case COMPLETED, STOPPED, CLIENT_GONE, DRAINED, UNREAD, RESUMED, OVERLOADED, REFUSED, LOCAL -> false;
        };
    }

    private static StatusData status(@Nullable String error) {
        return error == null ? StatusData.unset() : StatusData.error();
    }

    private void addFirstOutput(List<EventData> events, long atNs) {
        if (atNs != 0) {
            events.add(EventData.create(atNs + offsetNs, Names.EVENT_FIRST_OUTPUT, Attributes.empty()));
        }
    }

    private void addError(List<EventData> events, long atNs, @Nullable String error) {
        if (error != null) {
            events.add(EventData.create(atNs + offsetNs, Names.EVENT_ERROR, Attributes.of(Names.ERROR, error)));
        }
    }

    private static SpanContext context(Trace trace, String spanId) {
        return SpanContext.create(trace.id(), spanId, flags(trace), TraceState.getDefault());
    }

    private static SpanContext remote(Trace trace, String spanId) {
        return SpanContext.createFromRemoteParent(trace.id(), spanId, flags(trace), TraceState.getDefault());
    }

    private static TraceFlags flags(Trace trace) {
        return TraceFlags.fromByte((byte) trace.flags());
    }

    private static void put(AttributesBuilder to, AttributeKey<String> key, @Nullable String value) {
        if (value != null) {
            to.put(key, value);
        }
    }

    private static void put(AttributesBuilder to, AttributeKey<Long> key, long value) {
        if (value >= 0) {
            to.put(key, value);
        }
    }
}
