package io.millrace.server.tls;

import io.millrace.server.config.Listener;
import io.netty.handler.ssl.SslProvider;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/** The settings of a listener's TLS, with the contents of their files at the time when they were read and checked. */
final class LoadedTls implements AutoCloseable {
    private final Listener.Tls settings;
    private final FileStamps stamps;
    private final List<ServerCertificate> certificates;
    private final ClientCertificates clients;
    private final TlsContexts contexts;
    private TicketKeys tickets;

    /**
     * Reads the files.
     *
     * @param before what this is to follow, whose tickets stay good if the rules for clients are the same; or null
     * @throws IllegalArgumentException if a file cannot be used, naming it
     */
    LoadedTls(Listener.Tls settings, List<String> protocols, SslProvider provider, @Nullable LoadedTls before) {
        this.settings = settings;
        stamps = FileStamps.of(files(settings));
        Instant now = Instant.now();
        certificates = settings.certificates().stream()
                .map(each -> CertificateFiles.read(each.cert(), each.key(), now))
                .toList();
        clients = ClientCertificates.of(settings);
        tickets =
                before != null && before.clients.equals(clients) ? before.tickets : TicketKeys.fresh(System.nanoTime());
        try {
            var rules = new TlsContexts.Rules(provider, TlsProfile.versions(settings.minVersion()), protocols, clients);
            contexts = new TlsContexts(certificates, rules, tickets);
        } catch (SSLException e) {
            throw new IllegalArgumentException("tls: cannot be set up: " + e.getMessage(), e);
        }
    }

    Listener.Tls settings() {
        return settings;
    }

    /** Whether its files have changed since they were read. */
    FileStamps stamps() {
        return stamps;
    }

    /** The files that {@code settings} name. */
    static List<Path> files(Listener.Tls settings) {
        var files = new ArrayList<Path>();
        for (Listener.Tls.Certificate each : settings.certificates()) {
            files.add(each.cert());
            files.add(each.key());
        }
        if (settings.clientCa() != null) {
            files.add(settings.clientCa());
        }
        return files;
    }

    List<ServerCertificate> certificates() {
        return certificates;
    }

    ClientCertificates clients() {
        return clients;
    }

    TlsContexts contexts() {
        return contexts;
    }

    /** Makes a new ticket key, if it is time. */
    void renewTickets(long nowNs) {
        TicketKeys next = tickets.at(nowNs);
        if (next != tickets) {
            tickets = next;
            contexts.tickets(next);
        }
    }

    /** Releases the contexts. They are freed when the connections that use them are closed. */
    @Override
    public void close() {
        contexts.release();
    }
}
