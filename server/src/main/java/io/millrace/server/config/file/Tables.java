package io.millrace.server.config.file;

import static io.millrace.server.config.file.Form.BOOLEAN;
import static io.millrace.server.config.file.Form.BYTES;
import static io.millrace.server.config.file.Form.COUNT;
import static io.millrace.server.config.file.Form.DURATION;
import static io.millrace.server.config.file.Form.FRACTION;
import static io.millrace.server.config.file.Form.HEADER;
import static io.millrace.server.config.file.Form.SIZE;
import static io.millrace.server.config.file.Form.SPOKEN;
import static io.millrace.server.config.file.Form.TEXT;
import static io.millrace.server.config.file.Form.choice;
import static io.millrace.server.config.file.Setting.list;
import static io.millrace.server.config.file.Setting.made;
import static io.millrace.server.config.file.Setting.section;
import static io.millrace.server.config.file.Setting.special;
import static io.millrace.server.config.file.Setting.value;

import io.millrace.codec.dialect.Dialect;
import io.millrace.codec.dialect.HeartbeatForm;
import io.millrace.server.address.AddressSet;
import io.millrace.server.config.Cors;
import io.millrace.server.config.Http2;
import io.millrace.server.config.Limits;
import io.millrace.server.config.ListenAddress;
import io.millrace.server.config.ListenAddress.HostAndPort;
import io.millrace.server.config.ListenAddress.UnixPath;
import io.millrace.server.config.Listener;
import io.millrace.server.config.LogField;
import io.millrace.server.config.Match;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.RelayConfig.AccessLog;
import io.millrace.server.config.RelayConfig.OwnPaths;
import io.millrace.server.config.RelayConfig.Resume;
import io.millrace.server.config.Route;
import io.millrace.server.config.Route.Balance;
import io.millrace.server.config.Route.Disconnect;
import io.millrace.server.config.Route.Heartbeat;
import io.millrace.server.config.Route.Hedge;
import io.millrace.server.config.Route.Retry;
import io.millrace.server.config.Route.TranslationMode;
import io.millrace.server.config.Timeouts;
import io.millrace.server.config.Upstream;
import io.millrace.server.config.Upstream.RetryBudget;
import io.millrace.server.config.file.Setting.Brief;
import io.millrace.server.transport.Transport;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * All settings of the file, by record. To add a setting, add a row here, a component of its record and a line in the
 * docs.
 */
final class Tables {
    private static final Form<LogField> FIELD = choice(LogField.values(), LogField::label);
    static final Form<AccessLog.Format> LOG_FORMAT = choice(AccessLog.Format.values());
    private static final Form<UnixPath> CONTROL =
            new Form<>(text -> new UnixPath(Path.of(text)), at -> at.path().toString(), Shape.TEXT);
    static final Form<Transport> TRANSPORT = new Form<>(
            Transport::named,
            Transport::label,
            Shape.words(Stream.of(Transport.values()).map(Transport::label).toList()));

    static final Form<Path> PATH = new Form<>(Path::of, Path::toString, Shape.TEXT);
    static final Form<Duration> INTERVAL = DURATION.or("off", Duration.ZERO);
    /** An empty value is the upstream's own 95th percentile. */
    private static final Form<Optional<Duration>> DELAY = new Form<>(
            Quantities::delay,
            delay -> delay.map(Quantities::format).orElse("p95"),
            Quantities.DURATION_SHAPE.or(Shape.words(List.of("p95"))));

    private static final Form<Upstream.Http.Version> HTTP =
            choice(Upstream.Http.Version.values(), Upstream.Http.Version::label);
    private static final Form<Disconnect.Policy> POLICY = choice(Disconnect.Policy.values());

    static final Table<Timeouts> TIMEOUTS = Table.of(
            Timeouts.DEFAULT,
            value("connect", DURATION, Timeouts::connect, (t, v) -> t.connect = v),
            value("handshake", DURATION, Timeouts::handshake, (t, v) -> t.handshake = v),
            value("requestHead", DURATION, Timeouts::requestHead, (t, v) -> t.requestHead = v),
            value("requestBodyIdle", DURATION, Timeouts::requestBodyIdle, (t, v) -> t.requestBodyIdle = v),
            value("ttft", DURATION, Timeouts::ttft, (t, v) -> t.ttft = v),
            value("idle", DURATION, Timeouts::idle, (t, v) -> t.idle = v),
            value("progress", DURATION, Timeouts::progress, (t, v) -> t.progress = v),
            value("hold", DURATION, Timeouts::hold, (t, v) -> t.hold = v),
            value("writeStall", DURATION, Timeouts::writeStall, (t, v) -> t.writeStall = v),
            value("keepAlive", DURATION, Timeouts::keepAlive, (t, v) -> t.keepAlive = v),
            value("terminalGrace", DURATION, Timeouts::terminalGrace, (t, v) -> t.terminalGrace = v),
            value("drain", DURATION, Timeouts::drain, (t, v) -> t.drain = v),
            value("takeover", DURATION, Timeouts::takeover, (t, v) -> t.takeover = v),
            value("shutdownDelay", DURATION, Timeouts::shutdownDelay, (t, v) -> t.shutdownDelay = v));

    /** The timeouts that a route may set for itself. The others apply before a request has a route, or to no route. */
    static final Table<Timeouts> ROUTE_TIMEOUTS =
            TIMEOUTS.only(Set.of("ttft", "idle", "progress", "hold", "terminalGrace"));

    static final Table<Limits> LIMITS = Table.of(
            Limits.DEFAULT,
            value("requestLine", BYTES, Limits::requestLine, (l, v) -> l.requestLine = v),
            value("headerBytes", BYTES, Limits::headerBytes, (l, v) -> l.headerBytes = v),
            value("headerCount", COUNT, Limits::headerCount, (l, v) -> l.headerCount = v),
            value("body", SIZE, Limits::body, (l, v) -> l.body = v),
            value("pipelined", BYTES, Limits::pipelined, (l, v) -> l.pipelined = v),
            value("connections", COUNT, Limits::connections, (l, v) -> l.connections = v),
            value("connectionsPerAddress", COUNT, Limits::connectionsPerAddress, (l, v) -> l.connectionsPerAddress = v),
            value("handshakes", COUNT, Limits::handshakes, (l, v) -> l.handshakes = v),
            value("streams", COUNT, Limits::streams, (l, v) -> l.streams = v),
            value("streamsPerAddress", COUNT, Limits::streamsPerAddress, (l, v) -> l.streamsPerAddress = v),
            value("requestsPerConnection", COUNT, Limits::requestsPerConnection, (l, v) -> l.requestsPerConnection = v),
            value("frameHold", BYTES, Limits::frameHold, (l, v) -> l.frameHold = v),
            value("highWatermark", BYTES, Limits::highWatermark, (l, v) -> l.highWatermark = v),
            value("lowWatermark", BYTES, Limits::lowWatermark, (l, v) -> l.lowWatermark = v),
            value("bodyRate", BYTES, Limits::bodyRate, (l, v) -> l.bodyRate = v),
            value("memory", SIZE, Limits::memory, (l, v) -> l.memory = v));

    static final Table<Http2.ControlFrames> CONTROL_FRAMES = Table.of(
            Http2.ControlFrames.DEFAULT,
            value("burst", COUNT, Http2.ControlFrames::burst, (f, v) -> f.burst = v),
            value("perSecond", COUNT, Http2.ControlFrames::perSecond, (f, v) -> f.perSecond = v));

    static final Table<Http2> HTTP2 = Table.of(
            Http2.DEFAULT,
            value("streams", COUNT, Http2::streams, (h, v) -> h.streams = v),
            value("window", BYTES, Http2::window, (h, v) -> h.window = v),
            value("connectionWindow", BYTES, Http2::connectionWindow, (h, v) -> h.connectionWindow = v),
            value("pending", BYTES, Http2::pending, (h, v) -> h.pending = v),
            section("controlFrames", CONTROL_FRAMES, Http2::controlFrames, (h, v) -> h.controlFrames = v),
            value("prematureResets", COUNT, Http2::prematureResets, (h, v) -> h.prematureResets = v),
            value("wastedPerAddress", COUNT, Http2::wastedPerAddress, (h, v) -> h.wastedPerAddress = v),
            value("connectionAge", INTERVAL, Http2::connectionAge, (h, v) -> h.connectionAge = v));

    static final Table<AccessLog> ACCESS_LOG = Table.of(
            AccessLog.DEFAULT,
            value("format", LOG_FORMAT, AccessLog::format, (a, v) -> a.format = v),
            value("file", PATH, AccessLog::file, (a, v) -> a.file = v),
            list("fields", FIELD, (AccessLog a) -> a.fields(), (a, v) -> a.fields = v)
                    .unlessEmpty());

    static final Table<OwnPaths> OWN_PATHS = Table.of(
            OwnPaths.ALL,
            value("healthz", BOOLEAN, OwnPaths::healthz, (o, v) -> o.healthz = v),
            value("readyz", BOOLEAN, OwnPaths::readyz, (o, v) -> o.readyz = v),
            value("metrics", BOOLEAN, OwnPaths::metrics, (o, v) -> o.metrics = v),
            value("streams", BOOLEAN, OwnPaths::streams, (o, v) -> o.streams = v),
            value("chat", BOOLEAN, OwnPaths::chat, (o, v) -> o.chat = v),
            value("openapi", BOOLEAN, OwnPaths::openapi, (o, v) -> o.openapi = v),
            value("page", BOOLEAN, OwnPaths::page, (o, v) -> o.page = v));

    static final Table<Cors> CORS = Table.of(
            Cors.OFF,
            list("origins", TEXT, Cors::origins, (c, v) -> c.origins = v),
            value("credentials", BOOLEAN, Cors::credentials, (c, v) -> c.credentials = v),
            value("maxAge", DURATION, Cors::maxAge, (c, v) -> c.maxAge = v));

    static final Table<Heartbeat> HEARTBEAT = Table.of(
            Heartbeat.DEFAULT,
            value("interval", INTERVAL, Heartbeat::interval, (h, v) -> h.interval = v),
            value("form", choice(HeartbeatForm.values()), Heartbeat::form, (h, v) -> h.form = v),
            value("early", BOOLEAN, Heartbeat::early, (h, v) -> h.early = v));

    static final Table<RetryBudget> RETRY_BUDGET = Table.of(
            RetryBudget.DEFAULT,
            value("ratio", FRACTION, RetryBudget::ratio, (b, v) -> b.ratio = v),
            value("perSecond", COUNT, RetryBudget::perSecond, (b, v) -> b.perSecond = v));

    static final Table<Upstream.Http> UPSTREAM_HTTP2 =
            Table.of(Upstream.Http.DEFAULT, value("streams", COUNT, Upstream.Http::streams, (h, v) -> h.streams = v));

    static final Table<Upstream> UPSTREAM = Table.of(
            Upstream.of("unread", URI.create("http://unread.invalid")),
            special("url", Shape.TEXT, u -> u.urls().size() == 1 ? Form.URL.write(u.url()) : null),
            special(
                    "urls",
                    Shape.TEXT.oneOrMore(),
                    u -> u.urls().size() == 1
                            ? null
                            : u.urls().stream().map(Form.URL::write).toList()),
            list("dialect", SPOKEN, Upstream::dialects, (u, v) -> u.dialects = v)
                    .unlessEmpty(),
            value("model", TEXT, Upstream::model, (u, v) -> u.model = v),
            special("kind", ConfigReader.KIND.shape(), u -> null),
            special("credential", Shape.texts("env", "file", "header", "prefix"), EffectiveConfig::credential),
            special("ca", Shape.TEXT, u -> PATH.write(u.ca())),
            value("maxConnections", COUNT, Upstream::maxConnections, (u, v) -> u.maxConnections = v),
            value("idle", DURATION, Upstream::idle, (u, v) -> u.idle = v),
            value("maxConcurrent", COUNT, Upstream::maxConcurrent, (u, v) -> u.maxConcurrent = v),
            value("http", HTTP, u -> u.http().version(), (u, v) -> u.http = u.http.with(h -> h.version = v)),
            section("http2", UPSTREAM_HTTP2, Upstream::http, (u, v) -> u.http = v),
            section("health", HealthTables.HEALTH, Upstream::health, (u, v) -> u.health = v),
            section("retryBudget", RETRY_BUDGET, Upstream::retryBudget, (u, v) -> u.retryBudget = v));

    static final Table<Match> MATCH = Table.of(
            Match.ALL,
            list("paths", TEXT, (Match m) -> m.paths(), (m, v) -> m.paths = v).unlessEmpty(),
            list("models", TEXT, (Match m) -> m.models(), (m, v) -> m.models = v)
                    .unlessEmpty(),
            value("header", HEADER, Match::header, (m, v) -> m.header = v));

    static final Table<Retry> RETRY = Table.of(
            Retry.DEFAULT,
            value("attempts", COUNT, Retry::attempts, (r, v) -> r.attempts = v),
            value("base", DURATION, Retry::base, (r, v) -> r.base = v),
            value("cap", DURATION, Retry::cap, (r, v) -> r.cap = v),
            value("retryAfterCap", DURATION, Retry::retryAfterCap, (r, v) -> r.retryAfterCap = v),
            value("total", DURATION, Retry::total, (r, v) -> r.total = v));

    static final Table<Hedge> HEDGE = Table.of(
            Hedge.P95,
            value("delay", DELAY, h -> Optional.ofNullable(h.delay()), (h, v) -> h.delay = v.orElse(null)),
            value("maxShare", FRACTION, Hedge::maxShare, (h, v) -> h.maxShare = v));

    static final Table<Disconnect> DISCONNECT = Table.of(
            Disconnect.CANCEL,
            value("policy", POLICY, Disconnect::policy, (d, v) -> d.policy = v),
            value("maxFrames", COUNT, Disconnect::maxFrames, (d, v) -> d.maxFrames = v),
            value("maxTime", DURATION, Disconnect::maxTime, (d, v) -> d.maxTime = v));

    static final Table<Balance> BALANCE = Table.of(
            Balance.P2C,
            made("header", HEADER, b -> b.header(), (b, v) -> Balance.header(v)),
            made(
                    "promptPrefix",
                    BYTES,
                    b -> b.kind() == Balance.Kind.PROMPT_PREFIX ? b.prefixBytes() : null,
                    (b, v) -> {
                        if (b.kind() == Balance.Kind.HEADER) {
                            throw new IllegalArgumentException("beside header (expected: one of them)");
                        }
                        return Balance.promptPrefix(v);
                    }));

    static final Table<Route.Target> TARGET = Table.of(
            Route.Target.of("unread"),
            special("upstream", Shape.TEXT, Route.Target::upstream),
            value("rewriteModel", TEXT, Route.Target::rewriteModel, (t, v) -> t.rewriteModel = v),
            special(
                    "timeouts",
                    Shape.part(() -> Tables.ROUTE_TIMEOUTS),
                    t -> t.timeouts() == null ? null : ROUTE_TIMEOUTS.write(t.timeouts())));

    /** A route's own settings. Before the routes are read, they are those with which all routes begin. */
    static final Setting<Route> ROUTE_HEARTBEAT = section(
            "heartbeat",
            Brief.of(INTERVAL, (h, v) -> h.interval = v),
            HEARTBEAT,
            Route::heartbeat,
            (r, v) -> r.heartbeat = v);

    static final Table<Route> ROUTE = Table.of(
            Route.of("unread", Match.ALL, "unread"),
            value("name", TEXT, Route::name, (r, v) -> r.name = v),
            section("match", MATCH, Route::match, (r, v) -> r.match = v).unlessEmpty(),
            special("upstream", Shape.TEXT, r -> isListed(r) ? null : r.upstream()),
            special("rewriteModel", Shape.TEXT, r -> isListed(r) ? null : r.rewriteModel()),
            special(
                    "targets",
                    Shape.TEXT.or(Shape.part(() -> TARGET)).oneOrMore(),
                    r -> isListed(r) ? r.targets().stream().map(TARGET::write).toList() : null),
            value("dialect", choice(Dialect.values()), Route::dialect, (r, v) -> r.dialect = v),
            section("timeouts", ROUTE_TIMEOUTS, r -> r.timeouts(), (r, v) -> r.timeouts = v),
            ROUTE_HEARTBEAT,
            section("retry", Brief.word("off", Retry.OFF), RETRY, Route::retry, (r, v) -> r.retry = v),
            section(
                    "hedge",
                    new Brief<>(
                            Tables::hedge,
                            h -> h == null ? "off" : null,
                            DELAY.shape().or(Shape.words(List.of("off")))),
                    HEDGE,
                    Route::hedge,
                    (r, v) -> r.hedge = v),
            section(
                    "disconnect",
                    Brief.of(POLICY, (d, v) -> d.policy = v),
                    DISCONNECT,
                    Route::disconnect,
                    (r, v) -> r.disconnect = v),
            section("balance", Brief.word("p2c", Balance.P2C), BALANCE, Route::balance, (r, v) -> r.balance = v),
            value("includeUsage", BOOLEAN, Route::includeUsage, (r, v) -> r.includeUsage = v),
            value("translation", choice(TranslationMode.values()), Route::translation, (r, v) -> r.translation = v));

    static final Table<Resume> RESUME = Table.of(
            Resume.DEFAULT,
            value("keep", DURATION, Resume::keep, (r, v) -> r.keep = v),
            value("bytes", BYTES, Resume::bytes, (r, v) -> r.bytes = v),
            value("memory", SIZE, Resume::memory, (r, v) -> r.memory = v),
            value("readers", COUNT, Resume::readers, (r, v) -> r.readers = v),
            special(
                    "redis",
                    Shape.part(() -> StoreTables.STORE),
                    r -> r.redis() == null ? null : StoreTables.STORE.write(r.redis())));

    static final Table<RelayConfig> RELAY = Table.of(
            RelayConfig.defaults().with(c -> c.listeners = Listener.at(List.of(new HostAndPort("127.0.0.1", 8080)))),
            list("listen", ListenerTables.ADDRESS, Tables::listen, (c, v) -> c.listeners = Listener.at(v))
                    .unlessEmpty(),
            special(
                    "listeners",
                    new Shape.Items(Shape.part(() -> ListenerTables.LISTENER)),
                    c -> listen(c).isEmpty() ? listeners(c) : null),
            value("transport", TRANSPORT, RelayConfig::transport, (c, v) -> c.transport = v),
            value("eventLoops", COUNT, RelayConfig::eventLoops, (c, v) -> c.eventLoops = v),
            value(
                    "allowOpen",
                    BOOLEAN,
                    RelayConfig::allowOpen,
                    (c, v) -> c.clients = c.clients.with(a -> a.allowOpen = v)),
            section("timeouts", TIMEOUTS, RelayConfig::timeouts, (c, v) -> c.timeouts = v),
            special("heartbeat", ROUTE_HEARTBEAT.shape(), c -> null),
            section("limits", LIMITS, RelayConfig::limits, (c, v) -> c.limits = v),
            section("http2", HTTP2, RelayConfig::http2, (c, v) -> c.http2 = v),
            section(
                    "accessLog",
                    Brief.of(LOG_FORMAT, (a, v) -> a.format = v),
                    ACCESS_LOG,
                    RelayConfig::accessLog,
                    (c, v) -> c.accessLog = v),
            section("ownPaths", OWN_PATHS, RelayConfig::ownPaths, (c, v) -> c.ownPaths = v),
            value("takeover", CONTROL, RelayConfig::takeover, (c, v) -> c.takeover = v),
            list(
                    "trustedProxies",
                    TEXT,
                    c -> c.trustedProxies().texts(),
                    (c, v) -> c.trustedProxies = AddressSet.of(v)),
            section("cors", CORS, RelayConfig::cors, (c, v) -> c.cors = v),
            Setting.<RelayConfig>special(
                            "clients",
                            Shape.TEXT.or(Shape.part(() -> ClientTables.CLIENTS)),
                            c -> ClientTables.CLIENTS.write(c.clients()))
                    .unlessEmpty(),
            special("resume", Shape.part(() -> RESUME), c -> RESUME.write(c.resume())),
            special(
                    "telemetry",
                    Shape.part(() -> TelemetryTables.TELEMETRY),
                    c -> TelemetryTables.TELEMETRY.write(c.telemetry())),
            special("upstreams", new Shape.Named(Shape.part(() -> UPSTREAM)), EffectiveConfig::upstreams),
            special("routes", new Shape.Items(Shape.part(() -> ROUTE)), EffectiveConfig::routes));

    private Tables() {}

    /** The addresses, if the listeners have no other settings. */
    private static List<ListenAddress> listen(RelayConfig config) {
        boolean plain = config.listeners().stream().allMatch(Listener::isPlain);
        return plain ? config.listeners().stream().map(Listener::address).toList() : List.of();
    }

    private static Object listeners(RelayConfig config) {
        return config.listeners().stream().map(ListenerTables.LISTENER::write).toList();
    }

    /**
     * Whether a route's targets are written as a list. A single target without settings of its own is written in the
     * route.
     */
    private static boolean isListed(Route route) {
        return route.targets().size() > 1 || route.targets().get(0).timeouts() != null;
    }

    private static @Nullable Hedge hedge(Hedge before, String text) {
        return text.equals("off")
                ? null
                : Hedge.P95.with(h -> h.delay = DELAY.read(text).orElse(null));
    }
}
