package io.millrace.server.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.server.config.Credential;
import io.millrace.server.config.Credential.Secret;
import io.millrace.server.config.Match;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.Route;
import io.millrace.server.config.Upstream;
import io.millrace.server.test.RawClient;
import io.millrace.server.test.RelayHarness;
import java.io.IOException;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Tag("sockets")
class PathCheckTest {
    private static final String POST = "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}";
    private static final String KEY = "sk-relay-0123456789abcdef";
    private static final List<UnaryOperator<RelayConfig>> GUARDED =
            List.of(PathCheckTest::naming, PathCheckTest::withKey);

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/v1/chat/../../tenant-b/files",
                "/v1/chat/./completions",
                "/v1/chat/..",
                "/v1/chat/.",
                "/..",
                "/v1/chat/%2e%2e/files",
                "/v1/chat/%2E./files",
                "/v1/chat/.%2e",
                "/v1/chat/%2e/x",
                "/v1/chat/..%2f..%2ffiles",
                "/v1/chat/%2e%2e%2Ffiles",
                "/v1/chat/..%5cfiles",
                "/v1/chat/..%5Cfiles",
                "/v1/chat/x%2f../y",
                "/v1/chat/..;/files",
                "/v1/chat/..;a=b/files",
                "/v1/chat/..%3ba/files",
                "/v1/chat/.;/files",
                "/v1/chat//files",
                "/v1/chat/%2f/files",
                "/v1/chat%2f%2ffiles",
                "//v1/chat",
                "/v1/chat//../files",
                "/v1/chat/%252e%252e/files",
                "/v1/chat/%25252e%25252e/files",
                "/v1/chat/..%20/files",
                "/v1/chat/..%09/files",
                "/v1/chat/.../files",
                "/v1/chat/%c0%ae%c0%ae/files",
                "/v1/chat/%e0%80%ae%e0%80%ae/files",
                "/v1/chat/%f0%80%80%ae/files",
                "/v1/chat/%u002e/files",
                "/v1/chat/%2",
                "/v1/chat/%zz",
            })
    void refusesWhatServersReadDifferently(String path) throws IOException {
        assertThat(Target.of(path).ambiguity()).isNotNull();
        for (UnaryOperator<RelayConfig> guarded : GUARDED) {
            try (var harness = RelayHarness.start(guarded);
                    var client = harness.client()) {
                client.sendRaw(POST.formatted(path));
                RawClient.Response response = client.readAll();
                assertThat(response.status()).as(response.text()).isIn(400, 404);
                assertThat(response.text()).containsAnyOf("ambiguous_path", "no_route");
                client.sendRaw(POST.formatted("http://localhost" + path + "?a=b"));
                assertThat(client.readAll().status()).isIn(400, 404);
                assertThat(harness.mock.requests()).isEmpty();
            }
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/v1/chat/completions",
                "/v1/chat/",
                "/v1/models/org%2Fname",
                "/v1/files/a..b",
                "/v1/files/..a",
                "/v1/files/.well-known",
                "/v1/files/a.",
                "/v1/files/caf%c3%a9",
                "/v1/files/100%25",
                "/v1/files/100%25%20x",
                "/v1/models/ft:gpt-4o:org::id",
                "/v1/files/;a=..",
                "/v1beta/models/m:generateContent",
                "/",
            })
    void takesWhatAllReadAlike(String path) {
        assertThat(Target.of(path).ambiguity()).isNull();
        assertThat(Target.of(path + "?x=/../%2e%2e//").ambiguity()).isNull();
    }

    private static RelayConfig naming(RelayConfig config) {
        return config.with(c -> c.routes = List.of(Route.of("named", Match.paths("/v1/*", "/*"), "default")));
    }

    private static RelayConfig withKey(RelayConfig config) {
        var credential = new Credential("authorization", "Bearer ", Secret.of(KEY, "env: KEY"));
        return relayTo(config, config.upstreams().get("default").with(u -> u.credential = credential));
    }

    private static RelayConfig relayTo(RelayConfig config, Upstream upstream) {
        return RelayConfig.relayTo(upstream).with(c -> c.accessLog = config.accessLog());
    }
}
