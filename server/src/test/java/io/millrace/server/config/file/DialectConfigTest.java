package io.millrace.server.config.file;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.codec.dialect.Dialect;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.Upstream;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What upstreams are said to speak. */
class DialectConfigTest {
    private static final URI MOCK = URI.create("http://mock.invalid");

    @TempDir
    private Path directory;

    @Test
    void readsWhatAnUpstreamSpeaks() throws IOException {
        var config = load("""
                upstreams:
                  claude: {url: http://a, dialect: messages, model: claude-x}
                  gpt: {url: http://b, dialect: [chat, responses]}
                  any: {url: http://c}
                routes: [{upstream: any}]
                """, Map.of());
        Upstream claude = config.upstreams().get("claude");
        assertThat(claude.dialects()).containsExactly(Dialect.MESSAGES);
        assertThat(claude.model()).isEqualTo("claude-x");
        assertThat(claude.translates(Dialect.CHAT)).isEqualTo(Dialect.MESSAGES);
        assertThat(claude.translates(Dialect.MESSAGES)).isNull();
        assertThat(claude.translates(Dialect.UNKNOWN)).isNull();
        Upstream gpt = config.upstreams().get("gpt");
        assertThat(gpt.translates(Dialect.RESPONSES)).isNull();
        assertThat(gpt.translates(Dialect.GEMINI)).isEqualTo(Dialect.CHAT);
        Upstream any = config.upstreams().get("any");
        assertThat(any.translates(Dialect.GEMINI)).isNull();
        assertThat(any.mainDialect()).isEqualTo(Dialect.CHAT);
        assertThat(load(EffectiveConfig.toYaml(config), Map.of())).isEqualTo(config);
    }

    @Test
    void knowsWhatProvidersSpeakFirst() {
        assertThat(Upstream.of("a", URI.create("https://api.anthropic.com")).mainDialect())
                .isEqualTo(Dialect.MESSAGES);
        assertThat(Upstream.of("a", URI.create("https://generativelanguage.googleapis.com"))
                        .mainDialect())
                .isEqualTo(Dialect.GEMINI);
    }

    @Test
    void letsTheDialectSayWhereACredentialGoes() throws IOException {
        assertThat(credential("dialect: messages")).startsWith("x-api-key: ***");
        assertThat(credential("dialect: gemini")).startsWith("x-goog-api-key: ***");
        assertThat(credential("dialect: responses")).startsWith("authorization: Bearer ***");
        assertThat(credential("dialect: messages, kind: openai")).startsWith("authorization: Bearer ***");
    }

    @Test
    void knowsWhatTheProvidersOfTheEnvironmentSpeak() {
        var keys = Map.of("OPENAI_API_KEY", "o", "ANTHROPIC_API_KEY", "a", "GEMINI_API_KEY", "g");
        var upstreams = ConfigLoader.load(new ConfigSources(null, keys, Map.of(), () -> MOCK))
                .upstreams();
        assertThat(upstreams.get("openai").dialects()).containsExactly(Dialect.CHAT, Dialect.RESPONSES);
        assertThat(upstreams.get("anthropic").dialects()).containsExactly(Dialect.MESSAGES);
        assertThat(upstreams.get("gemini").dialects()).containsExactly(Dialect.GEMINI);
        assertThat(upstreams.get("gemini-openai").dialects()).isEmpty();
        var compatible = Map.of("OPENAI_API_KEY", "o", "OPENAI_BASE_URL", "http://127.0.0.1:11434/v1");
        upstreams = ConfigLoader.load(new ConfigSources(null, compatible, Map.of(), () -> MOCK))
                .upstreams();
        assertThat(upstreams.get("openai").dialects()).isEmpty();
    }

    @Test
    void takesFlagsForTheOnlyUpstream() throws IOException {
        var flags = Map.of(ConfigKey.UPSTREAM, "http://h", ConfigKey.DIALECT, "responses, chat", ConfigKey.MODEL, "m");
        Upstream upstream = load("", flags).upstreams().get("default");
        assertThat(upstream.dialects()).containsExactly(Dialect.RESPONSES, Dialect.CHAT);
        assertThat(upstream.model()).isEqualTo("m");
        Upstream mock =
                load("", Map.of(ConfigKey.DIALECT, "messages")).upstreams().get("mock");
        assertThat(mock.url()).isEqualTo(MOCK);
        assertThat(mock.dialects()).containsExactly(Dialect.MESSAGES);
    }

    @Test
    void tellsWhatIsWrong() {
        assertProblem(
                "upstreams: {a: {url: 'http://h', dialect: mesages}}",
                Map.of(),
                "1:43: dialect: 'mesages', did you mean 'messages'?");
        assertProblem("upstreams: {a: {url: 'http://h', dialect: unknown}}", Map.of(), "1:43: dialect: 'unknown'");
        assertProblem("upstreams: {a: {url: 'http://h', dialect: [chat, chat]}}", Map.of(), "dialect: CHAT twice");
        assertProblem("", Map.of(ConfigKey.DIALECT, "claude"), "--dialect: 'claude'");
        assertProblem(
                "upstreams: {a: {url: 'http://h'}, b: {url: 'http://i'}}\nroutes: [{upstream: a}]",
                Map.of(ConfigKey.MODEL, "m"),
                "--model: there are 2 upstreams (expected: one, such as by --upstream)");
    }

    private String credential(String settings) throws IOException {
        var config = load("upstreams: {a: {url: 'http://h', credential: {env: KEY}, " + settings + "}}", Map.of());
        return config.upstreams().get("a").credential().toString();
    }

    private void assertProblem(String yaml, Map<ConfigKey, String> flags, String problem) {
        assertThatThrownBy(() -> load(yaml, flags))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining(problem);
    }

    private RelayConfig load(String yaml, Map<ConfigKey, String> flags) throws IOException {
        Path file = Files.writeString(directory.resolve("c.yaml"), yaml);
        return ConfigLoader.load(
                new ConfigSources(yaml.isEmpty() ? null : file, Map.of("KEY", "s3cret"), flags, () -> MOCK));
    }
}
