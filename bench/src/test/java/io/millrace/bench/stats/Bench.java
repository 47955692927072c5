package io.millrace.bench.stats;

import io.millrace.bench.stream.Behaviours;
import io.millrace.bench.stream.Clients;
import io.millrace.bench.stream.Endpoint;
import io.millrace.bench.stream.LoadShape;
import io.millrace.bench.stream.Prompts;
import io.millrace.bench.stream.RequestTemplate;
import io.millrace.bench.stream.StreamLimits;
import io.millrace.bench.stream.StreamPlan;
import io.millrace.server.mock.MockServer;
import io.millrace.server.transport.Transport;
import java.util.concurrent.TimeUnit;

/** A bench and a mock, for tests. */
public final class Bench implements AutoCloseable {
    private static final long NEVER_NS = TimeUnit.MINUTES.toNanos(5);

    private final MockServer mock;
    private final Runner runner;

    public Bench(MockServer mock, int lanes) {
        this.mock = mock;
        runner = new Runner(Transport.best(), lanes);
    }

    /** A closed loop without warm-up. */
    public static LoadShape closed(int concurrency, int requests) {
        return LoadShape.closed(concurrency).with(load -> {
            load.requests = requests;
            load.drainNs = NEVER_NS;
        });
    }

    /** An open loop of constant arrivals without warm-up. */
    public static LoadShape open(double rate, int requests) {
        return LoadShape.open(rate).with(load -> {
            load.burstiness = Double.POSITIVE_INFINITY;
            load.requests = requests;
            load.drainNs = NEVER_NS;
        });
    }

    /** Chat from the mock, with {@code spec}. */
    public StreamPlan plan(String spec, LoadShape shape) {
        return plan("/v1", spec, shape);
    }

    /** A plan for {@code base} on the mock. */
    public StreamPlan plan(String base, String spec, LoadShape shape) {
        var endpoint = Endpoint.of("http://127.0.0.1:" + mock.port() + base, null, "mock");
        var template = RequestTemplate.of(endpoint, "mock").header("x-mock: " + spec);
        return new StreamPlan(
                template.build(),
                mock.address(),
                null,
                Prompts.fixed("Hello"),
                shape,
                Clients.of(
                        Behaviours.NONE,
                        new StreamLimits(10_000, NEVER_NS, NEVER_NS, TimeUnit.MILLISECONDS.toNanos(250))),
                1);
    }

    public RunResult run(StreamPlan plan) throws InterruptedException {
        return run(plan, null);
    }

    public RunResult run(StreamPlan plan, Slo slo) throws InterruptedException {
        return runner.run(plan, slo, null, Runner.Watcher.NONE);
    }

    /** Ends the run as a user does, at the first tick at which a stream is in progress. */
    public RunResult runUntilStopped(StreamPlan plan) throws InterruptedException {
        return runner.run(plan, null, null, (seconds, progress, active) -> {
            if (active > 0) {
                runner.abort();
            }
        });
    }

    @Override
    public void close() {
        runner.close();
    }
}
