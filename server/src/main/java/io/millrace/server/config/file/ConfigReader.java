package io.millrace.server.config.file;

import static io.millrace.server.config.file.Section.toInt;

import io.millrace.codec.dialect.Dialect;
import io.millrace.codec.dialect.HeartbeatForm;
import io.millrace.server.config.AccessLog;
import io.millrace.server.config.Checks;
import io.millrace.server.config.Credential;
import io.millrace.server.config.Heartbeat;
import io.millrace.server.config.HostAndPort;
import io.millrace.server.config.Limits;
import io.millrace.server.config.Match;
import io.millrace.server.config.ProviderKind;
import io.millrace.server.config.Route;
import io.millrace.server.config.RouteTarget;
import io.millrace.server.config.Secret;
import io.millrace.server.config.Timeouts;
import io.millrace.server.config.TranslationMode;
import io.millrace.server.config.Upstream;
import io.millrace.server.config.file.Node.Entry;
import io.millrace.server.config.file.Node.Place;
import io.millrace.server.config.file.Node.Scalar;
import io.millrace.server.config.file.Node.Sequence;
import io.millrace.server.config.file.Section.Pending;
import io.millrace.server.transport.Transport;
import io.netty.handler.ssl.SslContextBuilder;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Collectors;

/** Takes the file's nodes over into a draft; everything that cannot be is a problem with its place. */
final class ConfigReader {
    private static final Map<String, BiFunction<Timeouts, Duration, Timeouts>> TIMEOUTS = Map.ofEntries(
            Map.entry("connect", Timeouts::withConnect),
            Map.entry("requestHead", Timeouts::withRequestHead),
            Map.entry("requestBodyIdle", Timeouts::withRequestBodyIdle),
            Map.entry("ttft", Timeouts::withTtft),
            Map.entry("idle", Timeouts::withIdle),
            Map.entry("progress", Timeouts::withProgress),
            Map.entry("hold", Timeouts::withHold),
            Map.entry("writeStall", Timeouts::withWriteStall),
            Map.entry("keepAlive", Timeouts::withKeepAlive),
            Map.entry("terminalGrace", Timeouts::withTerminalGrace),
            Map.entry("drain", Timeouts::withDrain),
            Map.entry("shutdownDelay", Timeouts::withShutdownDelay));

    /** Those that a route may set for itself: the others are known before a request has a route, or belong to none. */
    private static final Set<String> ROUTE_TIMEOUTS = Set.of("ttft", "idle", "progress", "hold", "terminalGrace");

    private static final Dialect[] SPOKEN = {Dialect.CHAT, Dialect.RESPONSES, Dialect.MESSAGES, Dialect.GEMINI};

    private final Draft draft;
    private final Problems problems;
    private final Secrets secrets;
    private final Path directory;
    private final Map<String, Place> routeNames = new HashMap<>();
    private String takesAll;

    ConfigReader(Draft draft, Problems problems, Secrets secrets, Path directory) {
        this.draft = draft;
        this.problems = problems;
        this.secrets = secrets;
        this.directory = directory;
    }

    /** Reads the whole file. */
    void read(Section root) {
        readListen(root);
        root.read("transport", Transport::named, value -> draft.transport = value);
        root.read("eventLoops", Section::toInt, value -> {
            Checks.range("eventLoops", value, 0, 1024);
            draft.eventLoops = value;
        });
        root.readBoolean("allowOpen", value -> draft.allowOpen = value);
        draft.timeouts = timeouts(root, TIMEOUTS.keySet(), draft.timeouts);
        draft.heartbeat = heartbeat(root, draft.heartbeat);
        root.readSection("limits", this::readLimits);
        readAccessLog(root);
        root.readSection("ownPaths", this::readOwnPaths);
        readCors(root);
        root.readNamed("upstreams", (name, entry) -> readUpstream(root, name, entry));
        readRoutes(root);
    }

    private void readListen(Section root) {
        List<HostAndPort> listen = new ArrayList<>();
        root.readList("listen", (node, text) -> listen.add(HostAndPort.parse(text)));
        if (!listen.isEmpty()) {
            draft.listen = listen;
            draft.listenSource = problems.where(root.node("listen").place()) + ": listen";
        }
    }

    private Timeouts timeouts(Section parent, Set<String> keys, Timeouts base) {
        var result = new Timeouts[] {base};
        parent.readSection(
                "timeouts",
                section -> new TreeSet<>(keys).forEach(key -> {
                    var with = TIMEOUTS.get(key);
                    section.read(key, Quantities::duration, value -> result[0] = with.apply(result[0], value));
                }));
        return result[0];
    }

    /** Whether a route may set this timeout for itself. */
    static boolean isRouteTimeout(String key) {
        return ROUTE_TIMEOUTS.contains(key);
    }

    private Heartbeat heartbeat(Section parent, Heartbeat base) {
        var result = new Heartbeat[] {base};
        if (parent.node("heartbeat") instanceof Scalar) {
            parent.read("heartbeat", ConfigReader::offOrDuration, value -> result[0] = base.withInterval(value));
            return result[0];
        }
        parent.readSection("heartbeat", section -> {
            section.read("interval", ConfigReader::offOrDuration, v -> result[0] = result[0].withInterval(v));
            section.read("form", choice(HeartbeatForm.values()), v -> result[0] = result[0].withForm(v));
            section.readBoolean("early", v -> result[0] = result[0].withEarly(v));
        });
        return result[0];
    }

    private void readLimits(Section section) {
        section.readTogether(List.of(
                limit("requestLine", text -> draft.limits.withRequestLine(bytes(text))),
                limit("headerBytes", text -> draft.limits.withHeaderBytes(bytes(text))),
                limit("headerCount", text -> draft.limits.withHeaderCount(toInt(text))),
                limit("body", text -> draft.limits.withBody(Quantities.size(text))),
                limit("pipelined", text -> draft.limits.withPipelined(bytes(text))),
                limit("connections", text -> draft.limits.withConnections(toInt(text))),
                limit("requestsPerConnection", text -> draft.limits.withRequestsPerConnection(toInt(text))),
                limit("frameHold", text -> draft.limits.withFrameHold(bytes(text))),
                limit("highWatermark", text -> draft.limits.withHighWatermark(bytes(text))),
                limit("lowWatermark", text -> draft.limits.withLowWatermark(bytes(text))),
                limit("bodyRate", text -> draft.limits.withBodyRate(bytes(text))),
                limit("memory", text -> draft.limits.withMemory(Quantities.size(text)))));
    }

    private Pending limit(String key, Function<String, Limits> with) {
        return new Pending(key, text -> draft.limits = with.apply(text));
    }

    private void readAccessLog(Section root) {
        if (root.node("accessLog") instanceof Scalar) {
            root.read("accessLog", ConfigReader::accessLogFormat, v -> draft.accessLog = draft.accessLog.withFormat(v));
            return;
        }
        root.readSection("accessLog", section -> {
            section.read("format", ConfigReader::accessLogFormat, v -> draft.accessLog = draft.accessLog.withFormat(v));
            section.read("file", directory::resolve, v -> draft.accessLog = draft.accessLog.withFile(v));
        });
    }

    private void readOwnPaths(Section section) {
        section.readBoolean("healthz", v -> draft.ownPaths = draft.ownPaths.withHealthz(v));
        section.readBoolean("readyz", v -> draft.ownPaths = draft.ownPaths.withReadyz(v));
        section.readBoolean("metrics", v -> draft.ownPaths = draft.ownPaths.withMetrics(v));
        section.readBoolean("streams", v -> draft.ownPaths = draft.ownPaths.withStreams(v));
        section.readBoolean("chat", v -> draft.ownPaths = draft.ownPaths.withChat(v));
        section.readBoolean("openapi", v -> draft.ownPaths = draft.ownPaths.withOpenapi(v));
        section.readBoolean("page", v -> draft.ownPaths = draft.ownPaths.withPage(v));
    }

    private void readCors(Section root) {
        root.readSection("cors", section -> {
            List<String> origins = new ArrayList<>();
            section.readList("origins", (node, text) -> {
                draft.cors = draft.cors.withOrigins(List.of(text));
                origins.add(text);
            });
            draft.cors = draft.cors.withOrigins(origins);
            section.readBoolean("credentials", v -> draft.cors = draft.cors.withCredentials(v));
            section.read("maxAge", Quantities::duration, v -> draft.cors = draft.cors.withMaxAge(v));
            draft.corsSource = problems.where(section.place());
        });
    }

    private void readUpstream(Section root, String name, Entry entry) {
        // A name is taken even if its settings are wrong, so that its routes are not called dangling, too.
        draft.upstreams.put(name, Upstream.of("unread", URI.create("http://unread.invalid")));
        root.enter(name, entry.value(), section -> {
            var upstream = new Upstream[1];
            readUrls(section, name, entry, upstream);
            boolean known = upstream[0] != null;
            upstream[0] = known ? upstream[0] : draft.upstreams.get(name);
            section.readList("dialect", (node, text) -> addDialect(upstream, text));
            section.read("model", Function.identity(), v -> upstream[0] = upstream[0].withModel(v));
            readCredential(section, upstream);
            section.read("ca", directory::resolve, file -> {
                if (known && !upstream[0].tls()) {
                    throw new IllegalArgumentException("of no use without TLS (expected: a url with https)");
                }
                upstream[0] = upstream[0].withCa(file, certificates(file));
            });
            section.read("maxConnections", Section::toInt, v -> upstream[0] = upstream[0].withMaxConnections(v));
            section.read("idle", Quantities::duration, v -> upstream[0] = upstream[0].withIdle(v));
            section.read("maxConcurrent", Section::toInt, v -> upstream[0] = upstream[0].withMaxConcurrent(v));
            upstream[0] = upstream[0].withHealth(PolicyReader.health(section));
            upstream[0] = upstream[0].withRetryBudget(PolicyReader.retryBudget(section));
            draft.upstreams.put(name, upstream[0]);
        });
    }

    private static void addDialect(Upstream[] upstream, String text) {
        var dialects = new ArrayList<>(upstream[0].dialects());
        dialects.add(dialect(text));
        upstream[0] = upstream[0].withDialects(dialects);
    }

    /** What an upstream can speak. */
    static Dialect dialect(String text) {
        return choice(SPOKEN).apply(text);
    }

    private void readUrls(Section section, String name, Entry entry, Upstream[] upstream) {
        var urls = new ArrayList<URI>();
        section.read("url", ConfigReader::url, url -> upstream[0] = Upstream.of(name, url));
        section.readList("urls", (node, text) -> {
            URI url = url(text);
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
    }

    private void readCredential(Section upstream, Upstream[] result) {
        var kind = new ProviderKind[] {ProviderKind.of(result[0].url(), result[0].dialects())};
        upstream.read("kind", choice(ProviderKind.values()), v -> kind[0] = v);
        if (upstream.node("credential") instanceof Scalar scalar) {
            problems.add(
                    scalar.place(),
                    "credential: a key is never written here (expected: credential: {env: NAME}"
                            + " or credential: {file: /path})");
            return;
        }
        upstream.readSection("credential", section -> {
            var secret = new Secret[1];
            section.read("env", secrets::fromEnvironment, v -> secret[0] = v);
            section.read("file", secrets::fromFile, v -> secret[0] = v);
            if ((section.node("env") == null) == (section.node("file") == null)) {
                problems.add(section.place(), "credential: expected: one of env or file");
            }
            var header = new String[] {kind[0].header};
            var prefix = new String[] {kind[0].prefix};
            section.read("header", ConfigReader::checkedHeader, v -> {
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
                result[0] = result[0].withCredential(new Credential(header[0], prefix[0], secret[0]));
            }
        });
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
                    root.node("upstreams").place(),
                    "routes: none for " + draft.upstreams.size() + " upstreams (expected: which requests go where)");
        }
    }

    private void readRoute(Section section) {
        var name = new String[] {"route-" + (routeNames.size() + 1)};
        section.read("name", Function.identity(), v -> name[0] = v);
        Place earlier = routeNames.putIfAbsent(name[0], section.place());
        if (earlier != null) {
            problems.add(section.place(), "name: '" + name[0] + "' is a route already, in line " + earlier.line());
        }
        if (takesAll != null) {
            problems.add(section.place(), name[0] + ": is never reached, for '" + takesAll + "' before it takes all");
        }
        Match match = match(section);
        var route = new Route[] {Route.of(name[0], match, "unread")};
        Timeouts common = timeouts(section, ROUTE_TIMEOUTS, draft.timeouts);
        route[0] = route[0].withTimeouts(common);
        readTargets(section, name[0], common, targets -> route[0] = route[0].withTargets(targets));
        section.read("dialect", choice(Dialect.values()), v -> route[0] = route[0].withDialect(v));
        section.readBoolean("includeUsage", v -> route[0] = route[0].withIncludeUsage(v));
        section.read("translation", choice(TranslationMode.values()), v -> route[0] = route[0].withTranslation(v));
        route[0] = route[0].withRetry(PolicyReader.retry(section));
        route[0] = route[0].withHedge(PolicyReader.hedge(section));
        route[0] = route[0].withDisconnect(PolicyReader.disconnect(section));
        route[0] = route[0].withBalance(PolicyReader.balance(section));
        route[0] = route[0].withHeartbeat(heartbeat(section, draft.heartbeat));
        draft.routes.add(route[0]);
        if (section.node("match") == null && takesAll == null) {
            takesAll = name[0];
        }
    }

    /** One target, in the route itself, or a list of them. */
    private void readTargets(Section section, String name, Timeouts common, Consumer<List<RouteTarget>> sink) {
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
        var targets = new ArrayList<RouteTarget>();
        section.readMixed(
                "targets",
                (node, text) -> targets.add(RouteTarget.of(knownUpstream(text))),
                item -> targets.add(target(item, name, common, true)));
        if (!targets.isEmpty()) {
            sink.accept(targets);
        } else if (section.node("targets") instanceof Sequence list
                && list.items().isEmpty()) {
            problems.add(list.place(), "targets: [] (expected: at least one)");
        }
    }

    private RouteTarget target(Section section, String routeName, Timeouts common, boolean listed) {
        var target = new RouteTarget[] {RouteTarget.of("unread")};
        section.read("upstream", this::knownUpstream, v -> target[0] = target[0].withUpstream(v));
        if (section.node("upstream") == null) {
            problems.add(
                    section.place(),
                    (listed ? "targets" : routeName) + ": has no upstream"
                            + " (expected: upstream: and a name under upstreams)");
        }
        section.read("rewriteModel", Function.identity(), v -> target[0] = target[0].withRewriteModel(v));
        if (listed && section.node("timeouts") != null) {
            target[0] = target[0].withTimeouts(timeouts(section, ROUTE_TIMEOUTS, common));
        }
        return target[0];
    }

    private String knownUpstream(String name) {
        if (!draft.upstreams.containsKey(name)) {
            throw new IllegalArgumentException(
                    "'" + name + "' is no upstream" + Suggestion.forWord(name, draft.upstreams.keySet()));
        }
        return name;
    }

    private Match match(Section route) {
        var paths = new ArrayList<String>();
        var models = new ArrayList<String>();
        var header = new String[1];
        route.readSection("match", section -> {
            section.readList(
                    "paths", (node, text) -> paths.addAll(Match.paths(text).paths()));
            section.readList(
                    "models", (node, text) -> models.addAll(Match.models(text).models()));
            section.read("header", Function.identity(), v -> header[0] = checkedHeader(v));
        });
        return new Match(paths, models, header[0]);
    }

    /** A header's name, in lower case. */
    static String checkedHeader(String name) {
        Checks.headerName("header", name);
        return name.toLowerCase(Locale.ROOT);
    }

    /** A URL; the message of what is none does not hold it, for there may be a password in it. */
    static URI url(String text) {
        try {
            return URI.create(text);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("not a URL (expected: http://host:port or https://host)", e);
        }
    }

    /** The digest of a file of certificates, by which a reload knows whether they are others. */
    private static String certificates(Path file) {
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

    /** A size, as far as it fits. */
    static int bytes(String text) {
        return (int) Math.min(Integer.MAX_VALUE, Quantities.size(text));
    }

    private static Duration offOrDuration(String text) {
        return text.equals("off") ? Duration.ZERO : Quantities.duration(text);
    }

    /** {@code json}, {@code text} or {@code off}. */
    static AccessLog.Format accessLogFormat(String text) {
        return choice(AccessLog.Format.values()).apply(text);
    }

    /** The constant whose name was written, in lower case and with hyphens. */
    static <E extends Enum<E>> Function<String, E> choice(E[] constants) {
        Map<String, E> byLabel = Arrays.stream(constants)
                .collect(Collectors.toMap(ConfigReader::label, Function.identity(), (a, b) -> a, LinkedHashMap::new));
        return text -> {
            E constant = byLabel.get(text);
            if (constant == null) {
                throw new IllegalArgumentException("'" + text + "'" + Suggestion.forWord(text, byLabel.keySet()));
            }
            return constant;
        };
    }

    /** How a constant is written. */
    static String label(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
