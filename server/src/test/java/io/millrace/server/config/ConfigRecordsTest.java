package io.millrace.server.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.server.config.Credential.Secret;
import io.millrace.server.config.ListenAddress.HostAndPort;
import io.millrace.server.config.RelayConfig.AccessLog;
import io.millrace.server.config.RelayConfig.ClientAccess;
import io.millrace.server.config.RelayConfig.OwnPaths;
import io.millrace.server.config.Route.Disconnect;
import io.millrace.server.config.Route.Heartbeat;
import io.millrace.server.config.Route.Hedge;
import io.millrace.server.config.Route.Retry;
import io.millrace.server.config.Upstream.RetryBudget;
import java.net.URI;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ConfigRecordsTest {
    private static final URI LOCAL = URI.create("http://127.0.0.1:9100");

    @ParameterizedTest
    @CsvSource({
        "127.0.0.1:8080, 127.0.0.1, 8080, true",
        "localhost:0, localhost, 0, true",
        "[::1]:8443, ::1, 8443, true",
        "[0:0:0:0:0:0:0:1]:8443, 0:0:0:0:0:0:0:1, 8443, true",
        "8080, 127.0.0.1, 8080, true",
        ":8080, 0.0.0.0, 8080, false",
        "[::]:80, ::, 80, false",
        "127.example.org:80, 127.example.org, 80, false",
        "10.0.0.7:65535, 10.0.0.7, 65535, false",
    })
    void readsListenAddresses(String text, String host, int port, boolean loopback) {
        var address = HostAndPort.parse(text);

        assertThat(address).isEqualTo(new HostAndPort(host, port));
        assertThat(address.isLoopback()).isEqualTo(loopback);
        assertThat(HostAndPort.parse(address.toString())).isEqualTo(address);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "localhost", "::1:80", "a:65536", "a:-1", "a:b", "[::1]"})
    void refusesWhatIsNoListenAddress(String text) {
        assertThatThrownBy(() -> HostAndPort.parse(text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("'" + text + "' (expected: an address such as");
    }

    @ParameterizedTest
    @CsvSource({
        "/v1/models, /v1/models, true",
        "/v1/models, /v1/models/x, false",
        "/v1/*, /v1/chat/completions, true",
        "/v1/*, /v1, false",
        "*/chat/completions, /openai/deployments/x/chat/completions, true",
        "*/chat/completions, /chat/completions/x, false",
        "gpt-*-mini*, gpt-4-mini-2, true",
        "gpt-*-mini*, gpt-4-min, false",
        "*, '', true",
        "a*b*c, abbbc, true",
        "a*b*c, acb, false",
    })
    void starStandsForAnyCharacters(String pattern, String text, boolean matches) {
        assertThat(Match.matches(pattern, text)).isEqualTo(matches);
    }

    @ParameterizedTest
    @ValueSource(
            classes = {
                AccessLog.class,
                Cors.class,
                Disconnect.class,
                Health.class,
                Heartbeat.class,
                Hedge.class,
                Limits.class,
                Match.class,
                OwnPaths.class,
                RelayConfig.class,
                Retry.class,
                RetryBudget.class,
                Route.class,
                Route.Target.class,
                Telemetry.class,
                Timeouts.class,
                Upstream.class,
                Telemetry.UsageLog.class
            })
    void builderHasTheComponentsOfItsRecord(Class<?> settings) throws ReflectiveOperationException {
        var builder = Class.forName(settings.getName() + "$Builder");

        assertThat(Arrays.stream(builder.getFields()).map(f -> f.getGenericType() + " " + f.getName()))
                .containsExactlyElementsOf(Arrays.stream(settings.getRecordComponents())
                        .map(c -> c.getGenericType() + " " + c.getName())
                        .toList());
    }

    @Test
    void copyDiffersInWhatWasChangedOnly() {
        var copy = Timeouts.DEFAULT.with(t -> t.idle = Duration.ofSeconds(1));

        assertThat(copy.idle()).isEqualTo(Duration.ofSeconds(1));
        assertThat(copy).isNotEqualTo(Timeouts.DEFAULT);
        assertThat(copy.with(t -> t.idle = Timeouts.DEFAULT.idle())).isEqualTo(Timeouts.DEFAULT);
    }

    @Test
    void routeWithoutPatternsTakesAll() {
        assertThat(Match.ALL.matchesPath("/x")).isTrue();
        assertThat(Match.ALL.matchesModel(null)).isTrue();
        assertThat(Match.ALL.needsModel()).isFalse();
        assertThat(Match.models("gpt-*").matchesModel(null)).isFalse();
    }

    @ParameterizedTest
    @CsvSource({
        "http://h, h, 80, '', h, false",
        "https://h/, h, 443, '', h, true",
        "http://h:443/v1/, h, 443, /v1, h:443, false",
        "https://[::1]:9/a%20b, ::1, 9, /a%20b, [::1]:9, true",
    })
    void upstreamTakesItsUrlApart(URI url, String host, int port, String basePath, String authority, boolean tls) {
        var upstream = Upstream.of("u", url);

        assertThat(upstream.host()).isEqualTo(host);
        assertThat(upstream.port()).isEqualTo(port);
        assertThat(upstream.basePath()).isEqualTo(basePath);
        assertThat(upstream.authority()).isEqualTo(authority);
        assertThat(upstream.tls()).isEqualTo(tls);
    }

    @ParameterizedTest
    @ValueSource(strings = {"ftp://h", "http:///x", "/x", "http://h?k=s3cret", "http://u:s3cret@h", "http://h:0"})
    void refusesUpstreamUrlWithoutShowingWhatMayBeSecret(URI url) {
        assertThatThrownBy(() -> Upstream.of("u", url))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("url: ")
                .message()
                .doesNotContain("s3cret");
    }

    @Test
    void credentialShowsItsSourceAndNeverItsKey() {
        var credential = new Credential("authorization", "Bearer ", Secret.of("s3cret", "env: KEY"));

        assertThat(credential.value()).isEqualTo("Bearer s3cret");
        assertThat(credential).hasToString("authorization: Bearer *** (env: KEY)");
        assertThat(RelayConfig.relayTo(Upstream.of("u", LOCAL).with(u -> u.credential = credential))
                        .toString())
                .doesNotContain("s3cret");
    }

    @Test
    void refusesValuesOutOfRangeByName() {
        assertThatThrownBy(() -> Timeouts.DEFAULT.with(t -> t.connect = Duration.ZERO))
                .hasMessage("connect: PT0S (expected: > 0)");
        assertThatThrownBy(() -> Timeouts.DEFAULT.with(t -> t.idle = Duration.ofDays(8)))
                .hasMessage("idle: PT192H (expected: at most PT168H)");
        assertThatThrownBy(() -> Limits.DEFAULT.with(l -> l.headerCount = 0))
                .hasMessage("headerCount: 0 (expected: 8 to 10000)");
        assertThatThrownBy(() -> Limits.DEFAULT.with(l -> l.lowWatermark = 65536))
                .hasMessage("lowWatermark: 65536 (expected: < highWatermark, 65536)");
    }

    @Test
    void relayToSendsEverythingToOneUpstream() {
        var config = RelayConfig.relayTo(LOCAL);

        assertThat(config.listeners()).containsExactly(Listener.at(new HostAndPort("127.0.0.1", 0)));
        assertThat(config.routes()).singleElement().satisfies(route -> {
            assertThat(route.match().matchesPath("/anything")).isTrue();
            assertThat(config.upstreams().get(route.upstream()).url()).isEqualTo(LOCAL);
        });
    }

    @Test
    void refusesRouteToUnknownUpstream() {
        assertThatThrownBy(() ->
                        RelayConfig.defaults().with(c -> c.routes = List.of(Route.of("r", Match.ALL, "nowhere"))))
                .hasMessage("routes: 'r' goes to 'nowhere' (expected: one of [])");
    }

    @Test
    void injectedKeyIsServedOnLoopbackOnlyUnlessAllowed() {
        var open = Listener.at(List.of(new HostAndPort("0.0.0.0", 0)));
        var upstream = Upstream.of("u", LOCAL)
                .with(u -> u.credential = new Credential("authorization", "Bearer ", Secret.of("k", "env: KEY")));

        assertThat(RelayConfig.relayTo(LOCAL).with(c -> c.listeners = open).listeners())
                .isEqualTo(open);
        assertThatThrownBy(() -> RelayConfig.relayTo(upstream).with(c -> c.listeners = open))
                .hasMessageStartingWith("listen: 0.0.0.0:0 ")
                .hasMessageContaining("--allow-open");
        assertThat(RelayConfig.relayTo(upstream)
                        .with(c -> c.clients = ClientAccess.ALLOW_OPEN)
                        .with(c -> c.listeners = open)
                        .listeners())
                .isEqualTo(open);
    }
}
