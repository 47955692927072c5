package io.millrace.server.config.file;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.server.config.ListenAddress.HostAndPort;
import io.millrace.server.config.ListenAddress.UnixPath;
import io.millrace.server.config.Listener;
import io.millrace.server.config.Listener.Protocol;
import io.millrace.server.config.Listener.Served;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.test.Certificates;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ListenerConfigTest {
    private static final String TWO = """
            listeners:
              - {address: "127.0.0.1:8080", serves: relay}
              - address: "[::1]:9090"
                protocols: http/1.1
                serves: [health, metrics]
            """;

    @TempDir
    private Path directory;

    @Test
    void readsEachWithItsOwnSettings() {
        assertThat(load(TWO).listeners())
                .containsExactly(
                        Listener.at(new HostAndPort("127.0.0.1", 8080)).with(l -> l.serves = Set.of(Served.RELAY)),
                        Listener.at(new HostAndPort("::1", 9090))
                                .with(l -> l.protocols = List.of(Protocol.HTTP_1_1))
                                .with(l -> l.serves = Set.of(Served.HEALTH, Served.METRICS)));
    }

    @Test
    void writesTheShortFormWhereItSaysAll() {
        assertThat(EffectiveConfig.toYaml(load("listen: ['127.0.0.1:1', '127.0.0.1:2']")))
                .startsWith("listen:\n  - 127.0.0.1:1\n  - 127.0.0.1:2\n")
                .doesNotContain("listeners");
        String written = EffectiveConfig.toYaml(load(TWO));
        assertThat(written)
                .startsWith("listeners:\n  - address: 127.0.0.1:8080\n")
                .doesNotContain("listen:");
        assertThat(EffectiveConfig.toYaml(load(written))).isEqualTo(written);
    }

    @Test
    void readsAndWritesUnixSockets() {
        RelayConfig config = load("listeners: [{address: 'unix:/run/a.sock', users: [web, 0], mode: 0600}]");

        assertThat(config.listeners())
                .containsExactly(Listener.at(new UnixPath(Path.of("/run/a.sock")))
                        .with(l -> l.users = List.of("web", "0"))
                        .with(l -> l.mode = 0600));
        assertThat(load(EffectiveConfig.toYaml(config)).listeners()).isEqualTo(config.listeners());
        assertThat(load("listen: 'unix:/run/a.sock'").listeners())
                .containsExactly(Listener.at(new UnixPath(Path.of("/run/a.sock"))));
    }

    @Test
    void aFlagReplacesAllOfThem() {
        assertThat(load(TWO, Map.of(ConfigKey.LISTEN, "127.0.0.1:1")).listeners())
                .containsExactly(Listener.at(new HostAndPort("127.0.0.1", 1)));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "listeners: []|c.yaml:1:12: listeners: [] (expected: at least one)",
                "listeners: 8080|c.yaml:1:12: listeners: a value (expected: a list, each item with its settings)",
                "listeners: [{}]|c.yaml:1:13: listeners: has no address (expected: such as address: 127.0.0.1:8080)",
                "listeners: [{address: '1', port: 2}]|c.yaml:1:28: port: unknown key (expected: one of address,",
                "listeners: [{address: '1', serves: []}]|c.yaml:1:36: serves: [] (expected: at least one)",
                "listeners: [{address: '1', serves: [relais]}]|serves: 'relais', did you mean 'relay'?",
                "listeners: [{address: '1', protocols: spdy}]|protocols: 'spdy' (expected: one of h2, http/1.1)",
                "listeners: [{address: '1'}, {address: '1'}]|listeners: 127.0.0.1:1 twice (expected: each address once)",
                "{listen: '1', listeners: [{address: '2'}]}|listeners: beside listen (expected: one of them)",
                "listeners: [{address: '1', users: [0]}]|users: at 127.0.0.1:1 (expected: only beside unix:/path)",
                "listeners: [{address: '1', mode: 0600}]|mode: at 127.0.0.1:1 (expected: only beside unix:/path)",
                "listeners: [{address: '1', proxyProtocol: {from: 10.0.0.1/8}}]|from: '10.0.0.1/8' has bits behind",
                "listeners: [{address: 'unix:x'}]|address: 'unix:x' (expected: such as unix:/run/millrace.sock)",
                "listeners: [{address: 'unix:/x', mode: 999}]|mode: '999' (expected: an octal mode such as 0660)",
            })
    void saysWhatIsWrong(String yaml, String problem) {
        assertThatThrownBy(() -> load(yaml)).hasMessageContaining(problem);
    }

    @Test
    void readsTlsAndWritesIt() throws Exception {
        var certificates = Certificates.in(directory);
        var files = certificates.server("web", "api.example.com");
        Files.copy(certificates.ca(), directory.resolve("ca.pem"));
        RelayConfig config = load("""
                listeners:
                  - address: 127.0.0.1:1
                    tls:
                      certificates: [{cert: web.pem, key: web.key}]
                      minVersion: TLSv1.3
                      hsts: 365d
                      clientCertificates: {ca: ca.pem, mode: optional}
                """);
        Listener listener = config.listeners().get(0);
        assertThat(listener.tls())
                .isEqualTo(Listener.Tls.DEFAULT
                        .with(t -> t.certificates = List.of(files))
                        .with(t -> t.minVersion = Listener.Tls.Version.V1_3)
                        .with(t -> t.clientCa = directory.resolve("ca.pem"))
                        .with(t -> t.clientMode = Listener.Tls.ClientMode.OPTIONAL)
                        .with(t -> t.hsts = Duration.ofDays(365)));
        assertThat(listener.spoken()).containsExactly(Protocol.H2, Protocol.HTTP_1_1);
        Listener again = load(EffectiveConfig.toYaml(config)).listeners().get(0);
        assertThat(again.tls()).isEqualTo(listener.tls());
        assertThat(again.spoken()).isEqualTo(listener.spoken());
    }

    @Test
    void saysWhereTlsIsWrong() throws Exception {
        var certificates = Certificates.in(directory);
        certificates.server("web", "a");
        certificates.server("other", "a");
        Path open = certificates.server("open", "a").key();
        Files.setPosixFilePermissions(open, PosixFilePermissions.fromString("rw-r--r--"));
        assertTlsProblem(
                "{certificates: [{cert: no.pem, key: web.key}]}",
                "3:33: cert: ",
                "no.pem cannot be read: no such file");
        assertTlsProblem("{certificates: [{cert: web.pem, key: other.key}]}", "3:47: key: ", "is not that of");
        assertTlsProblem(
                "{certificates: [{cert: open.pem, key: open.key}]}", "3:48: key: ", "is rw-r--r-- (expected: 0600");
        assertTlsProblem(
                "{certificates: [{cert: web.pem, key: web.key}], clientCertificates: {ca: web.key}}",
                "3:83: ca: ",
                "no certificate in it");
        assertTlsProblem("{hsts: 1d}", "3:10: tls: has no certificates", "");
    }

    private void assertTlsProblem(String tls, String start, String part) {
        assertThatThrownBy(() -> load("listeners:\n  - address: 127.0.0.1:1\n    tls: " + tls))
                .isInstanceOfSatisfying(
                        ConfigException.class,
                        e -> assertThat(e.problems())
                                .singleElement()
                                .asString()
                                .contains("c.yaml:" + start)
                                .contains(part));
    }

    @Test
    void onlyAListenerThatMaySpendAKeyOfTheRelaysMustBeLocal() {
        String keys = "upstreams: {a: {url: 'https://h', credential: {env: KEY}}}\nlisteners:\n";
        String local = "  - address: 127.0.0.1:1\n  - {address: '0.0.0.0:2', serves: ";

        assertThat(load(keys + local + "[health, metrics, streams]}").listeners())
                .hasSize(2);
        for (String spends : List.of("relay", "page")) {
            assertThatThrownBy(() -> load(keys + local + spends + "}"))
                    .hasMessageContaining("c.yaml:3:3: listeners: 0.0.0.0:2 would let anyone who reaches it use");
        }
    }

    private RelayConfig load(String yaml) {
        return load(yaml, Map.of());
    }

    private RelayConfig load(String yaml, Map<ConfigKey, String> flags) {
        try {
            var file = Files.writeString(directory.resolve("c.yaml"), yaml);
            return ConfigLoader.load(
                    new ConfigSources(file, Map.of("KEY", "k"), flags, () -> URI.create("http://127.0.0.1:9")));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
