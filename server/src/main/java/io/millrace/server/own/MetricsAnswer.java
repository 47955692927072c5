package io.millrace.server.own;

import io.millrace.server.access.Caller;
import io.millrace.server.config.Listener.Served;
import io.millrace.server.console.Console;
import io.millrace.server.downstream.ClientStream;
import io.millrace.server.http.Refusal;
import io.millrace.server.http.Weighted;
import io.millrace.server.own.OwnEndpoints.Asked;
import io.millrace.server.telemetry.Exposition;
import io.millrace.server.telemetry.Metrics;
import io.netty.handler.codec.http.DefaultHttpHeaders;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Writes metrics for clients on a thread of its own, because their text takes an event loop longer than many tokens.
 * The thread exists only while there is something to write.
 */
final class MetricsAnswer {
    private static final Executor WRITER =
            new ThreadPoolExecutor(0, 1, 10, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), task -> {
                var thread = new Thread(task, "millrace-metrics");
                thread.setDaemon(true);
                return thread;
            });

    private static final Refusal NOT_ALLOWED =
            Refusal.of(403, "permission_denied", "This client may not read the metrics.");

    private final Metrics metrics;

    MetricsAnswer(Metrics metrics) {
        this.metrics = metrics;
    }

    /** Why this client may not read the metrics, which name all clients; null if it may. */
    static @Nullable Refusal refusal(Asked asked) {
        Caller caller = asked.caller();
        if (!asked.downstream().terms().serves(Served.RELAY) || caller.mayReadMetrics()) {
            return null;
        }
        return caller.refusal() != null ? caller.refusal() : NOT_ALLOWED;
    }

    /**
     * Makes the metrics in a form that the client accepts. Calls {@code written} on the client's event loop, if the
     * client is still there.
     */
    void write(Asked asked, Consumer<Console.Answer> written) {
        ClientStream downstream = asked.downstream();
        List<String> accept = asked.request().headers().getAll(HttpHeaderNames.ACCEPT);
        boolean gzip = acceptsGzip(asked.request().headers().getAll(HttpHeaderNames.ACCEPT_ENCODING));
        CompletableFuture.supplyAsync(() -> metrics.exposition(accept, gzip), WRITER)
                .whenCompleteAsync(
                        (exposition, failure) -> {
                            if (!downstream.isActive()) {
                                return;
                            }
                            if (failure == null) {
                                written.accept(answer(exposition));
                            } else {
                                Throwable cause = failure.getCause();
                                LocalExchange.fail(downstream, asked.failed(), cause == null ? failure : cause);
                            }
                        },
                        downstream.eventLoop());
    }

    private static Console.Answer answer(Exposition exposition) {
        var headers = new DefaultHttpHeaders();
        headers.set(HttpHeaderNames.CONTENT_TYPE, exposition.contentType());
        headers.set(HttpHeaderNames.VARY, "accept, accept-encoding");
        headers.set("x-content-type-options", "nosniff");
        if (exposition.gzip()) {
            headers.set(HttpHeaderNames.CONTENT_ENCODING, HttpHeaderValues.GZIP);
        }
        return new Console.Answer(200, headers, exposition.body());
    }

    /** Whether the fields name gzip, and not with a weight of zero. */
    private static boolean acceptsGzip(List<String> fields) {
        return Weighted.ofAll(fields).stream().anyMatch(coding -> coding.value().equals("gzip") && coding.weight() > 0);
    }
}
