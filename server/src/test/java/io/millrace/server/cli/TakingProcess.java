package io.millrace.server.cli;

import io.millrace.server.RelayServer;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.listen.TakeOver;
import io.millrace.server.transport.Transport;
import java.net.URI;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;

/** A process that takes the sockets over, may serve, and never lets the old one go. */
final class TakingProcess {
    private TakingProcess() {}

    /** Given the path of the control socket, and whether to serve. */
    public static void main(String[] arguments) throws InterruptedException {
        RelayConfig config =
                RelayConfig.relayTo(URI.create("http://127.0.0.1:9")).with(c -> c.transport = Transport.EPOLL);
        try (var takeOver = TakeOver.of(Path.of(arguments[0]))) {
            if (Boolean.parseBoolean(arguments[1])) {
                RelayServer.start(config, takeOver.sockets());
            }
            System.out.println("taken");
            new CountDownLatch(1).await();
        }
    }
}
