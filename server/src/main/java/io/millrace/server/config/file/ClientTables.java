package io.millrace.server.config.file;

import static io.millrace.server.config.file.Form.BOOLEAN;
import static io.millrace.server.config.file.Form.COUNT;
import static io.millrace.server.config.file.Form.FRACTION;
import static io.millrace.server.config.file.Form.NUMBER;
import static io.millrace.server.config.file.Form.TEXT;
import static io.millrace.server.config.file.Form.choice;
import static io.millrace.server.config.file.Setting.list;
import static io.millrace.server.config.file.Setting.section;
import static io.millrace.server.config.file.Setting.special;
import static io.millrace.server.config.file.Setting.value;
import static io.millrace.server.config.file.Tables.PATH;

import io.millrace.server.address.AddressSet;
import io.millrace.server.config.ClientSettings;
import io.millrace.server.config.ClientSettings.ClientLimits;
import io.millrace.server.config.RedisSettings;
import io.millrace.server.config.RelayConfig.ClientAccess;
import java.net.URI;

/** The settings about clients: in the relay's file, and in the file of clients. */
final class ClientTables {
    static final Form<URI> REDIS_URL = new Form<>(RedisSettings::parse, URI::toString, Shape.TEXT);

    static final Table<RedisSettings> REDIS = Table.of(
            RedisSettings.DEFAULT,
            value("url", REDIS_URL, RedisSettings::url, (r, v) -> r.url = v),
            special("credential", Shape.texts("env", "file", "user"), EffectiveConfig::credential),
            special("ca", Shape.TEXT, r -> PATH.write(r.ca())),
            value("prefix", TEXT, RedisSettings::prefix, (r, v) -> r.prefix = v));

    static final Table<ClientAccess> CLIENTS = Table.of(
            ClientAccess.OPEN,
            value("file", PATH, ClientAccess::file, (c, v) -> c.file = v),
            value(
                    "onRemoval",
                    choice(ClientAccess.OnRemoval.values()),
                    ClientAccess::onRemoval,
                    (c, v) -> c.onRemoval = v),
            special("redis", Shape.part(() -> REDIS), c -> c.redis() == null ? null : REDIS.write(c.redis())),
            value(
                            "onStoreFailure",
                            choice(ClientAccess.OnStoreFailure.values()),
                            ClientAccess::onStoreFailure,
                            (ClientAccess.Builder c, ClientAccess.OnStoreFailure v) -> c.onStoreFailure = v)
                    .onlyIf(c -> c.redis() != null),
            value("nodes", COUNT, ClientAccess::nodes, (ClientAccess.Builder c, Integer v) -> c.nodes = v)
                    .onlyIf(c -> c.redis() != null));

    static final Table<ClientLimits> CLIENT_LIMITS = Table.of(
            ClientLimits.DEFAULT,
            value("streams", COUNT, ClientLimits::streams, (l, v) -> l.streams = v),
            value("requestsPerSecond", FRACTION, ClientLimits::requestsPerSecond, (l, v) -> l.requestsPerSecond = v),
            value("burst", COUNT, ClientLimits::burst, (l, v) -> l.burst = v),
            value("requestsPerMinute", COUNT, ClientLimits::requestsPerMinute, (l, v) -> l.requestsPerMinute = v),
            value("tokensPerMinute", NUMBER, ClientLimits::tokensPerMinute, (l, v) -> l.tokensPerMinute = v),
            value("tokensPerDay", NUMBER, ClientLimits::tokensPerDay, (l, v) -> l.tokensPerDay = v),
            value("tokensPerMonth", NUMBER, ClientLimits::tokensPerMonth, (l, v) -> l.tokensPerMonth = v));

    /** A setting of the clients' file. */
    static final Table<ClientSettings> CLIENT = Table.of(
            ClientSettings.of("unread"),
            special("keys", Shape.TEXT.oneOrMore(), c -> null),
            value("certificate", TEXT, ClientSettings::certificate, (c, v) -> c.certificate = v),
            list("from", TEXT, c -> c.from().texts(), (c, v) -> c.from = AddressSet.of(v)),
            list("routes", TEXT, ClientSettings::routes, (c, v) -> c.routes = v),
            list("models", TEXT, ClientSettings::models, (c, v) -> c.models = v),
            section("limits", CLIENT_LIMITS, ClientSettings::limits, (c, v) -> c.limits = v),
            value("metrics", BOOLEAN, ClientSettings::metrics, (c, v) -> c.metrics = v),
            value("disabled", BOOLEAN, ClientSettings::disabled, (c, v) -> c.disabled = v));

    private ClientTables() {}
}
