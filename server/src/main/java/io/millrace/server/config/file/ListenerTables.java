package io.millrace.server.config.file;

import static io.millrace.server.config.file.Form.TEXT;
import static io.millrace.server.config.file.Form.choice;
import static io.millrace.server.config.file.Setting.inner;
import static io.millrace.server.config.file.Setting.list;
import static io.millrace.server.config.file.Setting.special;
import static io.millrace.server.config.file.Setting.value;

import io.millrace.server.address.AddressSet;
import io.millrace.server.config.ListenAddress;
import io.millrace.server.config.ListenAddress.HostAndPort;
import io.millrace.server.config.ListenAddress.UnixPath;
import io.millrace.server.config.Listener;
import io.millrace.server.config.Listener.Protocol;
import io.millrace.server.config.Listener.Served;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The settings of {@code listeners}. {@link ListenerReader} reads those that are {@code special}. */
final class ListenerTables {
    static final Form<ListenAddress> ADDRESS = new Form<>(ListenAddress::parse, ListenAddress::toString, Shape.TEXT);

    private static final Listener PLAIN = Listener.at(new HostAndPort("127.0.0.1", 8080));
    private static final Form<Integer> MODE =
            new Form<>(ListenerTables::mode, mode -> String.format("%04o", mode), Shape.TEXT.or(Shape.WHOLE));

    static final Table<Listener.Tls> CLIENT_CERTIFICATES = Table.of(
            Listener.Tls.DEFAULT,
            special("ca", Shape.TEXT, tls -> write(tls.clientCa())),
            value(
                    "mode",
                    choice(Listener.Tls.ClientMode.values()),
                    Listener.Tls::clientMode,
                    (t, v) -> t.clientMode = v));

    static final Table<Listener.Tls> TLS = Table.of(
            Listener.Tls.DEFAULT,
            special("certificates", new Shape.Items(Shape.texts("cert", "key")), ListenerTables::certificates),
            value(
                    "minVersion",
                    choice(Listener.Tls.Version.values(), Listener.Tls.Version::label),
                    Listener.Tls::minVersion,
                    (t, v) -> t.minVersion = v),
            special(
                    "clientCertificates",
                    Shape.part(() -> ListenerTables.CLIENT_CERTIFICATES),
                    tls -> tls.clientCa() == null ? null : CLIENT_CERTIFICATES.write(tls)),
            value("hsts", Tables.INTERVAL, Listener.Tls::hsts, (t, v) -> t.hsts = v));

    static final Table<Listener> PROXY_PROTOCOL =
            Table.of(PLAIN, list("from", TEXT, l -> l.proxies().texts(), (l, v) -> l.proxies = AddressSet.of(v)));

    static final Table<Listener> LISTENER = Table.of(
            PLAIN,
            special("address", Shape.TEXT, l -> ADDRESS.write(l.address())),
            special("tls", Shape.part(() -> ListenerTables.TLS), l -> l.tls() == null ? null : TLS.write(l.tls())),
            list(
                            "protocols",
                            choice(Protocol.values(), Protocol::label),
                            Listener::protocols,
                            (l, v) -> l.protocols = v)
                    .unlessEmpty(),
            inner("proxyProtocol", PROXY_PROTOCOL).onlyIf(l -> !l.proxies().isEmpty()),
            list("serves", choice(Served.values()), ListenerTables::served, (l, v) -> l.serves = Set.copyOf(v)),
            list("users", TEXT, Listener::users, (l, v) -> l.users = v).unlessEmpty(),
            value("mode", MODE, Listener::mode, (l, v) -> l.mode = v).onlyIf(l -> l.address() instanceof UnixPath));

    private ListenerTables() {}

    private static List<Served> served(Listener listener) {
        return listener.serves().stream().sorted().toList();
    }

    private static Object certificates(Listener.Tls tls) {
        return tls.certificates().stream()
                .map(each -> Map.of("cert", write(each.cert()), "key", write(each.key())))
                .toList();
    }

    private static @Nullable Object write(@Nullable Path path) {
        return Tables.PATH.write(path);
    }

    private static int mode(String text) {
        try {
            return Integer.parseInt(text, 8);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("'" + text + "' (expected: an octal mode such as 0660)", e);
        }
    }
}
