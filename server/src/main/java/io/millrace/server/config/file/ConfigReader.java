package io.millrace.server.config.file;

import static java.util.Objects.requireNonNull;

import io.millrace.server.config.Credential;
import io.millrace.server.config.Credential.Secret;
import io.millrace.server.config.Match;
import io.millrace.server.config.ProviderKind;
import io.millrace.server.config.RelayConfig.AccessLog;
import io.millrace.server.config.Route;
import io.millrace.server.config.Timeouts;
import io.millrace.server.config.Upstream;
import io.millrace.server.config.file.Node.Entry;
import io.millrace.server.config.file.Node.Place;
import io.millrace.server.config.file.Node.Scalar;
import io.millrace.server.config.file.Node.Sequence;
import io.netty.handler.ssl.SslContextBuilder;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Reads the file's nodes into a draft. Everything invalid becomes a problem with its place. */
final class ConfigReader {
    static final Form<ProviderKind> KIND = Form.choice(ProviderKind.values());

    private final Draft draft;
    private final Problems problems;
    private final Secrets secrets;
    private final Path directory;
    private final Map<String, Place> routeNames = new HashMap<>();
    private @Nullable String takesAll;

    ConfigReader(Draft draft, Problems problems, Secrets secrets, Path directory) {
        this.draft = draft;
        this.problems = problems;
        this.secrets = secrets;
        this.directory = directory;
    }

    /** Reads the whole file. */
    void read(Section root) {
        draft.read(root);
        AccessLog log = draft.relay.accessLog();
        if (log.file() != null) {
            draft.relay = draft.relay.with(c -> c.accessLog = log.with(a -> a.file = directory.resolve(log.file())));
        }
        var access = new AccessReader(draft, problems, secrets, directory);
        access.read(root);
        access.readResume(root);
        new TelemetryReader(draft, problems, secrets, directory).read(root);
        if (root.node("listen") != null) {
            draft.listenSource = problems.where(root.node("listen").place()) + ": listen";
        }
        new ListenerReader(draft, problems, directory).read(root);
        if (root.node("cors") != null) {
            draft.corsSource = problems.where(root.node("cors").place());
        }
        if (root.node("ownPaths") != null) {
            draft.ownPathsSource = problems.where(root.node("ownPaths").place());
        }
        root.readNamed("upstreams", (name, entry) -> readUpstream(root, name, entry));
        readRoutes(root);
    }

    private void readUpstream(Section root, String name, Entry entry) {
        // A name counts even if its settings are wrong, so that its routes are not reported as dangling too.
        draft.upstreams.put(name, Tables.UPSTREAM.defaults());
        root.enter(name, entry.value(), section -> {
            Upstream placed = urls(section, name, entry);
            Upstream upstream = Tables.UPSTREAM.read(section, placed);
            Credential credential = credential(section, upstream);
            draft.upstreams.put(name, upstream.with(u -> {
                u.credential = credential;
                section.read("ca", directory::resolve, file -> {
                    if (placed != null && !placed.tls()) {
                        throw new IllegalArgumentException("of no use without TLS (expected: a url with https)");
                    }
                    u.caDigest = certificates(file);
                    u.ca = file;
                });
            }));
        });
    }

    /** The upstream with only its origins; null if it names none. */
    private Upstream urls(Section section, String name, Entry entry) {
        var upstream = new Upstream[1];
        var urls = new ArrayList<URI>();
        section.read("url", Form.URL::read, url -> upstream[0] = Upstream.of(name, url));
        section.readList("urls", text -> {
            URI url = Form.URL.read(text);
            urls.add(url);
            try {
                upstream[0] = Upstream.of(name, urls);
            } catch (IllegalArgumentException e) {
                urls.remove(urls.size() - 1);
                throw e;
            }
        });
        boolean one = section.node("url") != null;
        Node list = section.node("urls");
        boolean several = list != null
                && !(list instanceof Sequence items && items.items().isEmpty());
        if (one && several) {
            problems.add(section.place(), name + ": has url and urls (expected: one of them)");
        } else if (!one && !several) {
            problems.add(entry.place(), name + ": has no url (expected: such as url: https://api.openai.com/v1)");
        }
        return upstream[0];
    }

    /** The credential, or null if the client's own is passed on. */
    private @Nullable Credential credential(Section upstream, Upstream settings) {
        var kind = new ProviderKind[] {ProviderKind.of(settings.url(), settings.dialects())};
        upstream.read("kind", KIND::read, v -> kind[0] = v);
        if (upstream.node("credential") instanceof Scalar scalar) {
            problems.add(
                    scalar.place(),
                    "credential: a key is never written here (expected: credential: {env: NAME}"
                            + " or credential: {file: /path})");
            return null;
        }
        var result = new Credential[1];
        upstream.readSection("credential", section -> {
            var secret = new Secret[1];
            section.read("env", secrets::fromEnvironment, v -> secret[0] = v);
            section.read("file", secrets::fromFile, v -> secret[0] = v);
            if ((section.node("env") == null) == (section.node("file") == null)) {
                problems.add(section.place(), "credential: expected: one of env or file");
            }
            var header = new String[] {kind[0].header};
            var prefix = new String[] {kind[0].prefix};
            section.read("header", Form.HEADER::read, v -> {
                Credential.checkHeader(v);
                header[0] = v;
                prefix[0] = v.equals("authorization") ? "Bearer " : "";
            });
            section.read("prefix", Function.identity(), v -> {
                Credential.checkPrefix(v);
                prefix[0] = v;
            });
            if (header[0] == null) {
                problems.add(section.place(), "credential: has no header (expected: such as header: x-api-key)");
            } else if (secret[0] != null) {
                result[0] = new Credential(header[0], prefix[0], secret[0]);
            }
        });
        return result[0];
    }

    private void readRoutes(Section root) {
        root.readSections("routes", this::readRoute);
        if (root.node("routes") != null || draft.upstreams.isEmpty()) {
            return;
        }
        if (draft.upstreams.size() == 1) {
            draft.route("all", Match.ALL, draft.upstreams.keySet().iterator().next());
        } else {
            problems.add(
                    requireNonNull(root.node("upstreams")).place(),
                    "routes: none for " + draft.upstreams.size() + " upstreams (expected: which requests go where)");
        }
    }

    private void readRoute(Section section) {
        Route base = draft.route("route-" + (routeNames.size() + 1));
        Route route = Tables.ROUTE.read(section, base);
        String name = route.name();
        Place earlier = routeNames.putIfAbsent(name, section.place());
        if (earlier != null) {
            problems.add(section.place(), "name: '" + name + "' is a route already, in line " + earlier.line());
        }
        if (takesAll != null) {
            problems.add(section.place(), name + ": is never reached, for '" + takesAll + "' before it takes all");
        }
        readTargets(section, name, route.timeouts(), targets -> draft.routes.add(route.with(r -> r.targets = targets)));
        if (section.node("match") == null && takesAll == null) {
            takesAll = name;
        }
    }

    /** One target, in the route itself, or a list of targets. */
    private void readTargets(Section section, String name, Timeouts common, Consumer<List<Route.Target>> sink) {
        boolean listed = section.node("targets") != null;
        if (!listed) {
            sink.accept(List.of(target(section, name, common, false)));
            return;
        }
        if (section.node("upstream") != null || section.node("rewriteModel") != null) {
            problems.add(
                    section.place(),
                    name + ": has targets, and a target of its own (expected: upstream and rewriteModel in targets)");
        }
        var targets = new ArrayList<Route.Target>();
        section.readMixed(
                "targets",
                text -> targets.add(Route.Target.of(knownUpstream(text))),
                item -> targets.add(target(item, name, common, true)));
        if (!targets.isEmpty()) {
            sink.accept(targets);
        } else if (section.node("targets") instanceof Sequence list
                && list.items().isEmpty()) {
            problems.add(list.place(), "targets: [] (expected: at least one)");
        }
    }

    private Route.Target target(Section section, String routeName, Timeouts common, boolean listed) {
        return Tables.TARGET.read(section, null).with(target -> {
            section.read("upstream", this::knownUpstream, name -> target.upstream = name);
            if (section.node("upstream") == null) {
                problems.add(
                        section.place(),
                        (listed ? "targets" : routeName) + ": has no upstream"
                                + " (expected: upstream: and a name under upstreams)");
            }
            if (listed) {
                section.readSection("timeouts", own -> target.timeouts = Tables.ROUTE_TIMEOUTS.read(own, common));
            }
        });
    }

    private String knownUpstream(String name) {
        if (!draft.upstreams.containsKey(name)) {
            throw new IllegalArgumentException(
                    "'" + name + "' is no upstream" + Suggestion.forWord(name, draft.upstreams.keySet()));
        }
        return name;
    }

    /** The digest of a file of certificates. By it a reload finds out whether the certificates have changed. */
    static String certificates(Path file) {
        byte[] pem;
        try {
            pem = Files.readAllBytes(file);
        } catch (IOException e) {
            throw new IllegalArgumentException(file + " cannot be read (expected: a PEM file)", e);
        }
        try {
            SslContextBuilder.forClient().trustManager(new ByteArrayInputStream(pem));
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(pem));
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(file + " holds no certificates (expected: a PEM file)", e);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e); // every JDK has it
        }
    }
}
