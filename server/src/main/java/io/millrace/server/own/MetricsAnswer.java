package io.millrace.server.own;

import io.millrace.server.downstream.ClientStream;
import io.millrace.server.telemetry.Exposition;
import io.millrace.server.telemetry.Metrics;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import java.util.List;
import java.util.Locale;
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

    private final Metrics metrics;

    MetricsAnswer(Metrics metrics) {
        this.metrics = metrics;
    }

    /**
     * Makes the metrics in a form that the client accepts. Calls back on the client's event loop, if the client is still
     * there.
     */
    void write(ClientStream downstream, HttpHeaders asked, Consumer<Exposition> written, Consumer<Throwable> failed) {
        String accept = asked.get(HttpHeaderNames.ACCEPT);
        boolean gzip = acceptsGzip(asked.getAll(HttpHeaderNames.ACCEPT_ENCODING));
        CompletableFuture.supplyAsync(() -> metrics.exposition(accept, gzip), WRITER)
                .whenCompleteAsync(
                        (exposition, failure) -> {
                            if (!downstream.isActive()) {
                                return;
                            }
                            if (failure == null) {
                                written.accept(exposition);
                            } else {
                                failed.accept(failure.getCause());
                            }
                        },
                        downstream.eventLoop());
    }

    /** Whether the fields name gzip, and not with a weight of zero. */
    static boolean acceptsGzip(List<String> fields) {
        for (String field : fields) {
            for (String coding : field.toLowerCase(Locale.ROOT).split(",", -1)) {
                String[] parts = coding.split(";", 2);
                if (parts[0].strip().equals("gzip") && !isZero(parts.length == 1 ? null : parts[1])) {
                    return true;
                }
            }
        }
        return false;
    }

    private static boolean isZero(@Nullable String weight) {
        return weight != null && weight.replace(" ", "").matches("q=0(\\.0*)?");
    }
}
