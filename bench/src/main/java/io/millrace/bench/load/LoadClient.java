package io.millrace.bench.load;

import io.millrace.server.transport.Transport;
import io.netty.channel.EventLoopGroup;
import java.util.concurrent.TimeUnit;

/** Holds the one event loop on which its runs live, one after another or at once. */
public final class LoadClient implements AutoCloseable {
    private final Transport transport;
    private final EventLoopGroup loops;

    private LoadClient(Transport transport) {
        this.transport = transport;
        loops = transport.newEventLoops(1, "load");
    }

    /** A client on the best transport there is. */
    public static LoadClient open() {
        return new LoadClient(Transport.best());
    }

    /** Begins a load, which goes on until {@link LoadRun#stop}. */
    public LoadRun start(LoadPlan plan) {
        return start(plan, false);
    }

    /** Begins a load whose window begins with it. */
    public LoadRun startRecording(LoadPlan plan) {
        return start(plan, true);
    }

    private LoadRun start(LoadPlan plan, boolean recording) {
        return new LoadRun(plan, recording, loops.next(), transport.clientChannel());
    }

    /** Ends the event loop and whatever still runs on it. */
    @Override
    public void close() {
        loops.shutdownGracefully(0, 5, TimeUnit.SECONDS).awaitUninterruptibly();
    }
}
