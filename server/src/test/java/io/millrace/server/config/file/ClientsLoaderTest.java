package io.millrace.server.config.file;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.millrace.server.config.ClientSettings;
import io.millrace.server.config.ClientSettings.ClientLimits;
import io.millrace.server.config.Match;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.Route;
import io.millrace.server.config.Upstream;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ClientsLoaderTest {
    private static final String A = "a".repeat(64);
    private static final String B = "b1".repeat(32);
    private static final String WHOLE = """
            defaults: {limits: {streams: 7, burst: 9}}
            clients:
              web:
                keys:
                  - {sha256: %s, expires: 2027-06-30}
                  - sha256: %s
                from: [10.1.0.0/16, "::1"]
                routes: chat
                models: ["gpt-*", claude]
                limits: {requestsPerSecond: 0.5, tokensPerMinute: 3000000000, tokensPerDay: 5}
                metrics: true
              "acme/office":
                certificate: spiffe://acme/office
                disabled: true
            """.formatted(A, B);

    @TempDir
    private Path directory;

    @Test
    void warnsOfRoutesThatTheConfigurationDoesNotHave() throws IOException {
        List<ClientSettings> clients = ClientsLoader.load(write(WHOLE));
        RelayConfig config = RelayConfig.relayTo(Upstream.of("u", URI.create("http://127.0.0.1:9")))
                .with(c -> c.routes = List.of(Route.of("cat", Match.ALL, "u"), Route.of("all", Match.ALL, "u")));
        assertThat(ClientsLoader.warnings(config, clients))
                .singleElement()
                .asString()
                .endsWith(": web: routes: 'chat' is no route of the configuration (it has: cat, all)");
        RelayConfig mended = config.with(c -> c.routes = List.of(Route.of("chat", Match.ALL, "u")));
        assertThat(ClientsLoader.warnings(mended, clients)).isEmpty();
    }

    @Test
    void readsAllThatAClientHas() throws IOException {
        List<ClientSettings> clients = ClientsLoader.load(write(WHOLE));
        ClientSettings web = clients.get(0);
        assertThat(web.keys())
                .containsExactly(
                        new ClientSettings.Key(A, Instant.parse("2027-07-01T00:00:00Z")),
                        new ClientSettings.Key(B, null));
        assertThat(web.from().texts()).containsExactly("10.1.0.0/16", "::1");
        assertThat(web.allowsRoute("chat")).isTrue();
        assertThat(web.allowsRoute("chat2")).isFalse();
        assertThat(web.allowsModel("gpt-5")).isTrue();
        assertThat(web.allowsModel("claude-1")).isFalse();
        assertThat(web.limits())
                .isEqualTo(ClientLimits.DEFAULT
                        .with(l -> l.streams = 7)
                        .with(l -> l.burst = 9)
                        .with(l -> l.requestsPerSecond = 0.5)
                        .with(l -> l.tokensPerMinute = 3_000_000_000L)
                        .with(l -> l.tokensPerDay = 5));
        assertThat(web.metrics()).isTrue();
        assertThat(clients.get(1).certificate()).isEqualTo("spiffe://acme/office");
        assertThat(clients.get(1).disabled()).isTrue();
        assertThat(clients.get(1).limits().streams()).isEqualTo(7);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "clients: {web: {keys: [{sha256: AA}]}} | sha256: is no hash (expected: 64 hex digits",
                "clients: {web: {keys: [{sha256: mr_secretsecret}]}} | sha256: is no hash",
                "clients: {web: {keys: [{expires: 2027-06-30}]}} | keys: has no sha256",
                "clients: {web: {keys: [{sha256: A, expires: tomorrow}]}} | expires: 'tomorrow' (expected: a day such as",
                "clients: {web: {}} | web: has no keys",
                "clients: {web: {key: 1}} | key: unknown key, did you mean 'keys'?",
                "clients: {web: {keys: [{sha256: A}], limit: {}}} | did you mean 'limits'?",
                "clients: {web: {keys: [{sha256: A}], limits: {streams: 0}}} | streams: 0 (expected: 1 to",
                "clients: {web: {keys: [{sha256: A}], limits: {requestsPerSecond: -1}}} | requestsPerSecond: -1",
                "clients: {web: {keys: [{sha256: A}], from: here}} | from:",
                "clients: {'a b': {keys: [{sha256: A}]}} | 'a b' (expected: up to 64 letters",
                "clients: {web: {keys: [{sha256: A}]}, app: {keys: [{sha256: A}]}} | sha256: is that of 'web' already",
                "clients: {web: {certificate: c}, app: {certificate: c}} | certificate: is that of 'web' already",
                "clients: {web: {keys: [{sha256: A}]}, web: {keys: [{sha256: A}]}} | web: given twice",
                "clients: {} | clients: none (expected: at least one",
                "'' | clients: none",
                "client: {web: {}} | client: unknown key, did you mean 'clients'?",
                "clients: [web] | clients: a list (expected: names",
            })
    void saysWhatIsWrong(String text, String problem) throws IOException {
        Path file = write(text.replace("sha256: A}", "sha256: " + A + "}").replace("sha256: A,", "sha256: " + A + ","));
        var failure = catchThrowableOfType(ConfigException.class, () -> ClientsLoader.load(file));
        assertThat(failure.problems()).anyMatch(told -> told.contains(problem));
        assertThat(failure.problems()).allMatch(told -> told.startsWith(file + ":") && !told.contains("secret"));
    }

    @Test
    void readsJson() throws IOException {
        Path file = Files.writeString(
                directory.resolve("clients.json"), "{\"clients\":{\"web\":{\"keys\":[{\"sha256\":\"" + A + "\"}]}}}");
        assertThat(ClientsLoader.load(file)).hasSize(1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"rw-rw----", "rw----rw-", "rw-r---w-"})
    void refusesAFileThatOthersMayWrite(String mode) throws IOException {
        Path file = write(WHOLE);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString(mode));
        assertThatThrownBy(() -> ClientsLoader.load(file))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("others may write it");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r--r--"));
        assertThat(ClientsLoader.load(file)).hasSize(2);
    }

    @Test
    void saysThatThereIsNoFile() {
        assertThatThrownBy(() -> ClientsLoader.load(directory.resolve("none.yaml")))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("cannot be read: no such file");
    }

    /** Any other exception than that with the problems fails the test; so does a mutation that never gets through. */
    @Test
    void mutatedFilesAreReadOrRefused() {
        var random = new SplittableRandom(3);
        int read = 0;
        int rounds = 3_000;
        for (int i = 0; i < rounds; i++) {
            try {
                ClientsLoader.read(mutated(random), false, new Problems("f"));
                read++;
            } catch (ConfigException e) {
                assertThat(e.problems()).isNotEmpty();
            }
        }
        assertThat(read).isBetween(1, rounds - 1);
    }

    private static String mutated(SplittableRandom random) {
        var text = new StringBuilder(WHOLE);
        if (random.nextInt(4) == 0) {
            text.setLength(random.nextInt(WHOLE.length()));
        }
        for (int i = random.nextInt(3); i > 0 && !text.isEmpty(); i--) {
            int at = random.nextInt(text.length());
            switch (random.nextInt(3)) {
                case 0 -> text.deleteCharAt(at);
                case 1 -> text.setCharAt(at, WHOLE.charAt(random.nextInt(WHOLE.length())));
                default -> text.insert(at, (char) random.nextInt(0x20, 0x100));
            }
        }
        return text.toString();
    }

    private Path write(String text) throws IOException {
        Path file = Files.writeString(directory.resolve("clients.yaml"), text);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r--r--"));
        return file;
    }
}
