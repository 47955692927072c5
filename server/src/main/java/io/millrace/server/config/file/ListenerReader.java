package io.millrace.server.config.file;

import io.millrace.server.config.ListenAddress;
import io.millrace.server.config.Listener;
import io.millrace.server.config.file.Node.Sequence;
import io.millrace.server.tls.CertificateFiles;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Reads {@code listeners} into a draft. */
final class ListenerReader {
    private final Draft draft;
    private final Problems problems;
    private final Path directory;

    /** Relative file names are resolved in {@code directory}. */
    ListenerReader(Draft draft, Problems problems, Path directory) {
        this.draft = draft;
        this.problems = problems;
        this.directory = directory;
    }

    /** Reads the section of each listener, if there are any. */
    void read(Section root) {
        Node node = root.node("listeners");
        if (node == null) {
            return;
        }
        draft.listenSource = problems.where(node.place()) + ": listeners";
        if (root.node("listen") != null) {
            problems.add(node.place(), "listeners: beside listen (expected: one of them)");
        }
        var listeners = new ArrayList<Listener>();
        root.readSections("listeners", section -> listeners.add(listener(section)));
        if (node instanceof Sequence list && list.items().isEmpty()) {
            problems.add(node.place(), "listeners: [] (expected: at least one)");
        }
        try {
            draft.relay = draft.relay.with(c -> c.listeners = listeners.isEmpty() ? c.listeners : listeners);
        } catch (IllegalArgumentException e) {
            problems.add(node.place(), String.valueOf(e.getMessage()).replaceFirst("^listen: ", "listeners: "));
        }
    }

    private Listener listener(Section section) {
        var address = new ListenAddress[] {ListenerTables.LISTENER.defaults().address()};
        section.read("address", ListenAddress::parse, read -> address[0] = read);
        if (section.node("address") == null) {
            problems.add(section.place(), "listeners: has no address (expected: such as address: 127.0.0.1:8080)");
        }
        Listener listener = ListenerTables.LISTENER.read(section, Listener.at(address[0]));
        refuseEmpty(section, "serves");
        refuseEmpty(section, "protocols");
        var tls = new Listener.Tls[1];
        section.readSection("tls", inner -> tls[0] = tls(inner));
        return listener.with(l -> l.tls = tls[0]);
    }

    private Listener.Tls tls(Section section) {
        var certificates = new ArrayList<Listener.Tls.Certificate>();
        section.readSections("certificates", inner -> certificate(inner, certificates));
        if (section.node("certificates") == null) {
            problems.add(section.place(), "tls: has no certificates (expected: certificates: [{cert: …, key: …}])");
        }
        return ListenerTables.TLS.read(section, null).with(tls -> {
            tls.certificates = certificates;
            section.readSection("clientCertificates", inner -> {
                tls.clientMode = ListenerTables.CLIENT_CERTIFICATES
                        .read(inner, Listener.Tls.DEFAULT)
                        .clientMode();
                inner.read("ca", directory::resolve, file -> {
                    CertificateFiles.authorities(file);
                    tls.clientCa = file;
                });
                if (inner.node("ca") == null) {
                    problems.add(inner.place(), "clientCertificates: has no ca (expected: ca: a PEM file)");
                }
            });
        });
    }

    private void certificate(Section section, List<Listener.Tls.Certificate> certificates) {
        var files = new Path[2];
        section.read("cert", directory::resolve, file -> files[0] = file);
        section.read("key", directory::resolve, file -> files[1] = file);
        if (files[0] == null || files[1] == null) {
            problems.add(section.place(), "certificates: expected: cert and key, each a PEM file");
        } else {
            certificates.add(new Listener.Tls.Certificate(files[0], files[1]));
            check(section, files[0], files[1]);
        }
    }

    private void check(Section section, Path cert, Path key) {
        try {
            CertificateFiles.check(cert, key);
        } catch (IllegalArgumentException e) {
            String message = String.valueOf(e.getMessage());
            Node named = section.node(message.startsWith("key: ") ? "key" : "cert");
            problems.add(named == null ? section.place() : named.place(), message);
        }
    }

    private void refuseEmpty(Section section, String key) {
        if (section.node(key) instanceof Sequence list && list.items().isEmpty()) {
            problems.add(list.place(), key + ": [] (expected: at least one)");
        }
    }
}
