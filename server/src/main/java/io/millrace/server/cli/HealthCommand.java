package io.millrace.server.cli;

import io.millrace.server.address.AddressSet;
import io.millrace.server.config.ListenAddress;
import io.millrace.server.config.ListenAddress.HostAndPort;
import io.millrace.server.config.ListenAddress.PassedSocket;
import io.millrace.server.config.ListenAddress.UnixPath;
import io.millrace.server.config.Listener;
import io.millrace.server.config.Listener.Protocol;
import io.millrace.server.config.Listener.Served;
import io.millrace.server.config.file.ConfigLoader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.StandardProtocolFamily;
import java.net.URI;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SocketChannel;
import java.nio.channels.UnresolvedAddressException;
import java.nio.charset.StandardCharsets;
import java.util.Comparator;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Asks the relay of this machine whether it is healthy. Images need it, because they have no other HTTP client. */
@Command(
        name = "health",
        description =
                "Asks /healthz of the relay that serve runs on this machine with the same file, variables and options."
                        + " Exit code 0 if it answers 200, else 1."
                        + " The address must serve health over HTTP/1.1, without TLS and PROXY head.",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        footerHeading = "%nExamples:%n",
        footer = {
            "  millrace health millrace.yaml",
            "  millrace health --ready",
            "      /readyz, which also fails while the relay drains"
        })
@SuppressWarnings("NullAway.Init") // picocli fills in what is not optional
final class HealthCommand implements Callable<Integer> {
    private static final URI NO_UPSTREAM = URI.create("http://embedded-mock.invalid");
    private static final int LIMIT_MS = 4_000;

    @Spec
    private CommandSpec spec;

    @Mixin
    private RelayOptions options;

    @Option(names = "--ready", description = "Ask /readyz.")
    private boolean ready;

    @Override
    public Integer call() throws IOException {
        var config = ConfigLoader.load(options.arguments().sources(System.getenv(), () -> NO_UPSTREAM));
        Place place = config.listeners().stream()
                .filter(HealthCommand::servesPlainHealth)
                // An admin listener answers beside any load.
                .sorted(Comparator.comparing(listener -> !listener.isAdmin()))
                .flatMap(listener -> Place.askedAt(listener).stream())
                .findFirst()
                .orElseThrow(() -> new IOException("no address serves health over HTTP/1.1 without TLS and PROXY head"
                        + " (expected: one such as 127.0.0.1:9090)"));
        String path = ready ? "/readyz" : "/healthz";
        String status = status(place, path, LIMIT_MS);
        spec.commandLine().getOut().println(place.address() + path + ": " + status);
        spec.commandLine().getOut().flush();
        return status.equals("200") ? 0 : 1;
    }

    /** Whether health is served there over HTTP/1.1 without TLS. A socket that systemd passes has no address here. */
    private static boolean servesPlainHealth(Listener listener) {
        return listener.serves().contains(Served.HEALTH)
                && listener.spoken().contains(Protocol.HTTP_1_1)
                && listener.tls() == null
                && !(listener.address() instanceof PassedSocket);
    }

    /**
     * An address of the relay.
     *
     * @param remote where this machine reaches it: an address of all interfaces is reached at loopback
     */
    record Place(ListenAddress address, SocketAddress remote) {
        static Place of(ListenAddress address) {
            if (address instanceof UnixPath unix) {
                return new Place(address, UnixDomainSocketAddress.of(unix.path()));
            }
            var tcp = (HostAndPort) address;
            var remote = new InetSocketAddress(tcp.host(), tcp.port());
            boolean any = !remote.isUnresolved() && remote.getAddress().isAnyLocalAddress();
            return new Place(
                    address, any ? new InetSocketAddress(InetAddress.getLoopbackAddress(), tcp.port()) : remote);
        }

        /** The place of a listener; empty if the relay waits for a PROXY head of this command there. */
        private static Optional<Place> askedAt(Listener listener) {
            Place place = of(listener.address());
            return place.isProxyAmong(listener.proxies()) ? Optional.empty() : Optional.of(place);
        }

        /** The command connects from the address that it connects to, or from another one of loopback. */
        private boolean isProxyAmong(AddressSet proxies) {
            if (!(remote instanceof InetSocketAddress tcp)) {
                return proxies.contains(null);
            }
            InetAddress to = tcp.getAddress();
            return to != null
                    && (proxies.contains(to)
                            || (to.isLoopbackAddress() && proxies.contains(InetAddress.getLoopbackAddress())));
        }
    }

    /** The status of the answer, as text. Connecting counts, too: the queue of a relay that hangs is full. */
    static String status(Place place, String path, long limitMs) throws IOException {
        ListenAddress address = place.address();
        try (SocketChannel channel = open(place.remote())) {
            CompletableFuture.delayedExecutor(limitMs, TimeUnit.MILLISECONDS).execute(() -> close(channel));
            channel.connect(place.remote());
            String request = "GET " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
            channel.write(ByteBuffer.wrap(request.getBytes(StandardCharsets.US_ASCII)));
            return statusOf(channel);
        } catch (ClosedChannelException e) {
            throw new IOException(address + path + ": no answer within " + limitMs + " ms", e);
        } catch (UnresolvedAddressException e) {
            throw new IOException(address + path + ": unknown host", e);
        } catch (IOException e) {
            throw new IOException(address + path + ": " + e.getMessage(), e);
        }
    }

    private static SocketChannel open(SocketAddress remote) throws IOException {
        return remote instanceof UnixDomainSocketAddress
                ? SocketChannel.open(StandardProtocolFamily.UNIX)
                : SocketChannel.open();
    }

    /** The three digits behind {@code HTTP/1.1 }. */
    private static String statusOf(SocketChannel channel) throws IOException {
        ByteBuffer head = ByteBuffer.allocate("HTTP/1.1 200".length());
        while (head.hasRemaining()) {
            if (channel.read(head) < 0) {
                throw new IOException("closed without an answer");
            }
        }
        return new String(head.array(), StandardCharsets.US_ASCII).substring("HTTP/1.1 ".length());
    }

    private static void close(SocketChannel channel) {
        try {
            channel.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
