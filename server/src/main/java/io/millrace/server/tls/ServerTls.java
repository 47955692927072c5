package io.millrace.server.tls;

import io.millrace.server.config.Listener.Protocol;
import io.millrace.server.config.Listener.Tls;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslProvider;
import io.netty.util.IllegalReferenceCountException;
import io.netty.util.ReferenceCountUtil;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The TLS of a listener. It encrypts connections with the certificate of the host that the client asks for. It can
 * switch to other files while connections are open; these keep the files with which they began. Connections may come
 * on any event loop. All other calls are for other threads.
 */
public final class ServerTls {
    private static final Logger LOG = LoggerFactory.getLogger(ServerTls.class);
    private static final Duration WARN_BEFORE_END = Duration.ofDays(14);
    private static final Duration WARN_AGAIN = Duration.ofDays(1);

    private final Handshakes handshakes;
    private final SslProvider provider;
    private final List<String> protocols;
    private final AtomicLong taken = new AtomicLong();
    private final AtomicLong failed = new AtomicLong();
    private volatile LoadedTls current;
    private FileStamps seen;
    private Instant warned = Instant.EPOCH;

    /** Receives the connection after its handshake. */
    @FunctionalInterface
    public interface Listener {
        /**
         * The handshake is complete. The client's next data reaches the end of the pipeline. Called on the event loop.
         */
        void onSecure(Channel channel, Secured secured);
    }

    /**
     * The result of a handshake.
     *
     * @param version such as {@code TLSv1.3}
     * @param protocol what is spoken inside (ALPN); null if the client named nothing
     * @param client what the client's certificate calls it; null if it has none
     * @param hsts for how long the client is to use nothing but TLS with this host; zero does not tell it
     */
    public record Secured(
            String version,
            @Nullable String protocol,
            @Nullable String client,
            Duration hsts) {}

    /**
     * Makes the TLS of a listener.
     *
     * @param protocols what is spoken inside, the best first
     * @throws IllegalArgumentException if a file cannot be used, naming it
     */
    static ServerTls of(Tls settings, List<Protocol> protocols, Handshakes handshakes) {
        return of(settings, protocols, handshakes, TlsProfile.serverProvider());
    }

    static ServerTls of(Tls settings, List<Protocol> protocols, Handshakes handshakes, SslProvider provider) {
        return new ServerTls(settings, protocols.stream().map(Protocol::label).toList(), handshakes, provider);
    }

    private ServerTls(Tls settings, List<String> protocols, Handshakes handshakes, SslProvider provider) {
        this.protocols = protocols;
        this.handshakes = handshakes;
        this.provider = provider;
        current = load(settings, null);
        seen = current.stamps();
        warn(Instant.now());
    }

    /**
     * Adds the handlers of the handshake to the end of a new connection's pipeline. The connection is not read while too
     * many handshakes are in progress.
     *
     * @param timeoutNs in which it must be over; a wait for others may last as long before
     * @param listener gets the connection if the handshake succeeds; a connection whose handshake fails is closed
     */
    public void secure(Channel channel, long timeoutNs, Listener listener) {
        var handshake = new HandshakeHandler(handshakes, timeoutNs, listener);
        channel.pipeline().addLast(new HelloHandler(this, handshake), handshake);
    }

    /**
     * Reads and checks the files that {@code settings} name. They are not used before {@link #take}.
     *
     * @throws IllegalArgumentException if a file cannot be used, naming it; it is counted
     */
    synchronized LoadedTls prepare(Tls settings) {
        try {
            return load(settings, current);
        } catch (IllegalArgumentException e) {
            failed.incrementAndGet();
            throw e;
        }
    }

    /** From now on, new connections get {@code next}. */
    synchronized void take(LoadedTls next) {
        LoadedTls before = current;
        current = next;
        seen = next.stamps();
        before.close();
        taken.incrementAndGet();
        warned = Instant.EPOCH;
        warn(Instant.now());
    }

    /**
     * Switches to changed files if they are valid. Warns of certificates that expire soon, and renews the ticket keys.
     * To be called every few seconds.
     */
    synchronized void look() {
        LoadedTls before = current;
        FileStamps now = FileStamps.of(LoadedTls.files(before.settings()));
        if (!now.equals(seen)) {
            seen = now;
            reload(before.settings());
        }
        current.renewTickets(System.nanoTime());
        warn(Instant.now());
    }

    private void reload(Tls settings) {
        try {
            take(prepare(settings));
            LOG.info("certificates reloaded: {}", current.certificates());
        } catch (IllegalArgumentException e) {
            LOG.error("certificates not reloaded, the old ones stay: {}", e.getMessage());
        }
    }

    /** How many times changed files were accepted, or refused, while the listener was open. */
    long reloads(boolean successful) {
        return (successful ? taken : failed).get();
    }

    /** When each certificate expires, by its file. */
    Map<String, Instant> ends() {
        var ends = new TreeMap<String, Instant>();
        current.certificates().forEach(each -> ends.put(each.label(), each.end()));
        return ends;
    }

    /** Frees the memory of TLS outside of the heap. To be called once, when no more connections come. */
    synchronized void close() {
        current.close();
    }

    /** The application protocols, the best first. */
    List<String> protocols() {
        return protocols;
    }

    /** The TLS handler for a client that asks for {@code host}. */
    Begun begin(@Nullable String host, ByteBufAllocator alloc) {
        while (true) {
            LoadedTls loaded = current;
            SslContext context = loaded.contexts().of(host);
            try {
                TlsContexts.retain(context);
            } catch (IllegalReferenceCountException e) {
                continue; // another thread has just replaced it
            }
            try {
                return new Begun(context.newHandler(alloc), loaded);
            } finally {
                ReferenceCountUtil.release(context);
            }
        }
    }

    /** A handshake with its handler, and the files with which it began. */
    record Begun(SslHandler handler, LoadedTls loaded) {
        /** The application protocol of the handshake. */
        Secured secured() {
            var session = handler.engine().getSession();
            return new Secured(
                    session.getProtocol(),
                    handler.applicationProtocol(),
                    loaded.clients().name(session),
                    loaded.settings().hsts());
        }
    }

    private LoadedTls load(Tls settings, @Nullable LoadedTls before) {
        return new LoadedTls(settings, protocols, provider, before);
    }

    private void warn(Instant now) {
        if (now.isBefore(warned.plus(WARN_AGAIN))) {
            return;
        }
        warned = now;
        for (ServerCertificate each : current.certificates()) {
            Duration left = Duration.between(now, each.end());
            if (left.isNegative()) {
                LOG.error("the certificate {} has expired on {}", each, each.end());
            } else if (left.compareTo(WARN_BEFORE_END) < 0) {
                LOG.warn("the certificate {} expires in {} days, on {}", each, left.toDays(), each.end());
            }
        }
    }
}
