package io.millrace.server.telemetry.otlp;

import com.google.protobuf.InvalidProtocolBufferException;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest;
import io.opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest;
import io.opentelemetry.proto.common.v1.KeyValue;
import io.opentelemetry.proto.metrics.v1.Metric;
import io.opentelemetry.proto.trace.v1.Span;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** A collector that keeps what it gets, and answers as the test wants. */
final class Receiver implements AutoCloseable {
    /** One request, as it came. */
    @SuppressWarnings("ArrayRecordComponent") // is compared by nobody
    record Got(String path, Map<String, List<String>> headers, byte[] body) {}

    private final HttpServer server;
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final List<Got> got = new CopyOnWriteArrayList<>();
    private final CountDownLatch gate;
    private final Queue<Integer> statuses = new ConcurrentLinkedQueue<>();
    private volatile int status = 200;
    private volatile Runnable before = () -> {};

    private Receiver(CountDownLatch gate) {
        this.gate = gate;
        try {
            server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 50);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        server.createContext("/", this::serve);
        server.setExecutor(threads);
        server.start();
    }

    static Receiver start() {
        return new Receiver(new CountDownLatch(0));
    }

    /** Does not answer before {@code gate} is open. */
    static Receiver behind(CountDownLatch gate) {
        return new Receiver(gate);
    }

    /** Answers with this status from now on. */
    void answer(int other) {
        status = other;
    }

    /** Answers its next request with this status. */
    void answerOnce(int next) {
        statuses.add(next);
    }

    /** Runs {@code task} for each report of traces, before the answer. */
    void beforeAnswers(Runnable task) {
        before = task;
    }

    URI uri() {
        return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
    }

    List<Got> got() {
        return List.copyOf(got);
    }

    /** All bytes that came, with the heads. */
    String raw() {
        var all = new StringBuilder();
        got.forEach(each -> all.append(each.headers()).append(new String(each.body(), StandardCharsets.ISO_8859_1)));
        return all.toString();
    }

    List<Span> spans() {
        var spans = new ArrayList<Span>();
        for (Got each : got) {
            if (each.path().equals("/v1/traces")) {
                traces(each)
                        .getResourceSpansList()
                        .forEach(resource ->
                                resource.getScopeSpansList().forEach(scope -> spans.addAll(scope.getSpansList())));
            }
        }
        return spans;
    }

    /** The metrics of the last report, by name. */
    Map<String, Metric> metrics() {
        var byName = new LinkedHashMap<String, Metric>();
        for (Got each : got) {
            if (each.path().equals("/v1/metrics")) {
                byName.clear();
                metrics(each)
                        .getResourceMetricsList()
                        .forEach(resource -> resource.getScopeMetricsList()
                                .forEach(scope -> scope.getMetricsList()
                                        .forEach(metric -> byName.put(metric.getName(), metric))));
            }
        }
        return byName;
    }

    static ExportTraceServiceRequest traces(Got request) {
        try {
            return ExportTraceServiceRequest.parseFrom(request.body());
        } catch (InvalidProtocolBufferException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static ExportMetricsServiceRequest metrics(Got request) {
        try {
            return ExportMetricsServiceRequest.parseFrom(request.body());
        } catch (InvalidProtocolBufferException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The attributes as texts, by name. */
    static Map<String, String> attributes(List<KeyValue> attributes) {
        var texts = new LinkedHashMap<String, String>();
        for (KeyValue each : attributes) {
            var value = each.getValue();
            texts.put(
                    each.getKey(),
                    switch (value.getValueCase()) {
                        case STRING_VALUE -> value.getStringValue();
                        case INT_VALUE -> String.valueOf(value.getIntValue());
                        case BOOL_VALUE -> String.valueOf(value.getBoolValue());
                        case DOUBLE_VALUE -> String.valueOf(value.getDoubleValue());
                        default -> value.toString();
                    });
        }
        return texts;
    }

    static String hex(com.google.protobuf.ByteString id) {
        return HexFormat.of().formatHex(id.toByteArray());
    }

    /** Is gone from now on. */
    void stop() {
        gate.countDown();
        server.stop(0);
        threads.shutdownNow();
    }

    @Override
    public void close() {
        stop();
    }

    private void serve(HttpExchange exchange) throws IOException {
        try (exchange) {
            byte[] body = exchange.getRequestBody().readAllBytes();
            gate.await();
            if (exchange.getRequestURI().getPath().equals("/v1/traces")) {
                before.run();
            }
            got.add(new Got(exchange.getRequestURI().getPath(), Map.copyOf(exchange.getRequestHeaders()), body));
            Integer next = statuses.poll();
            exchange.sendResponseHeaders(next == null ? status : next, -1);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
