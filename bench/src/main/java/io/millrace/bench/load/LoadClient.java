package io.millrace.bench.load;

import io.millrace.bench.stream.Clients;
import io.millrace.bench.stream.Endpoint;
import io.millrace.bench.stream.Load;
import io.millrace.bench.stream.LoadShape;
import io.millrace.bench.stream.Prompts;
import io.millrace.bench.stream.RequestTemplate;
import io.millrace.bench.stream.StreamPlan;
import io.millrace.codec.dialect.Dialect;
import io.millrace.server.transport.Transport;
import io.netty.channel.EventLoopGroup;
import java.util.concurrent.TimeUnit;

/** Holds the one event loop on which its runs live. Runs may follow one another or overlap. */
public final class LoadClient implements AutoCloseable {
    private final Transport transport = Transport.best();
    private final EventLoopGroup loops = transport.newEventLoops(1, "load");

    private LoadClient() {}

    /** A client on the best available transport. */
    public static LoadClient open() {
        return new LoadClient();
    }

    /** Begins a load. It continues until {@link LoadRun#stop}. */
    public LoadRun start(LoadPlan plan) {
        return start(plan, new Recorder());
    }

    /** Begins a load. Its window begins at once. */
    public LoadRun startRecording(LoadPlan plan) {
        var recorder = new Recorder();
        recorder.beginWindow();
        return start(plan, recorder);
    }

    private LoadRun start(LoadPlan plan, Recorder recorder) {
        return new LoadRun(recorder, Load.start(streams(plan, recorder), loops, 1, transport, lane -> recorder));
    }

    private static StreamPlan streams(LoadPlan plan, Recorder recorder) {
        var target = plan.target();
        var endpoint = new Endpoint(
                target.getHostString(), target.getPort(), false, Dialect.CHAT.operation("mock"), Dialect.CHAT);
        var template = RequestTemplate.of(endpoint, "mock")
                .asksUsage(false)
                .without("Accept-Encoding")
                .without("User-Agent")
                .header("x-mock: " + plan.spec());
        var shape = LoadShape.closed(plan.streams())
                .with(load -> load.rampNs = plan.ramp().toNanos());
        var clients = Clients.reading(observer -> new StreamCheck(recorder, plan.outputFrames()));
        return new StreamPlan(template.build(), target, null, Prompts.fixed("Hello"), shape, clients, 1);
    }

    /** Ends the event loop and all runs on it. */
    @Override
    public void close() {
        loops.shutdownGracefully(0, 5, TimeUnit.SECONDS).awaitUninterruptibly();
    }
}
