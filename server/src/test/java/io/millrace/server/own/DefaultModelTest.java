package io.millrace.server.own;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.server.config.Match;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.Route;
import io.millrace.server.config.Upstream;
import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class DefaultModelTest {
    private static final Upstream NONE = Upstream.of("none", URI.create("http://127.0.0.1:1"));
    private static final Upstream SOME =
            Upstream.of("some", URI.create("http://127.0.0.1:2")).with(u -> u.model = "m");

    @Test
    void isThatOfTheUpstreamWhichAnswers() {
        assertThat(DefaultModel.of(RelayConfig.relayTo(SOME))).isEqualTo("m");
        assertThat(DefaultModel.of(RelayConfig.relayTo(NONE))).isEmpty();
    }

    @Test
    void isThatOfTheFirstRouteThatMayTakeChat() {
        Route other = Route.of("other", Match.paths("/v1/*"), "none");
        Route byModel = Route.of("by-model", Match.models("gpt-*"), "none");
        Route all = Route.of("all", Match.ALL, "some");
        Route byHeader = Route.of("by-header", Match.ALL.with(m -> m.header = "x-tenant"), "none");
        assertThat(DefaultModel.of(relay(other, byModel, all))).isEqualTo("m");
        assertThat(DefaultModel.of(relay(other, byModel))).isEmpty();
        assertThat(DefaultModel.of(relay(byHeader, all))).isNull();
    }

    /** The page is served without a key. */
    @Test
    void isNotToldWhereClientsHaveKeys() {
        RelayConfig config = RelayConfig.relayTo(SOME)
                .with(c -> c.clients = c.clients.with(each -> each.file = Path.of("clients.yaml")));
        assertThat(DefaultModel.of(config)).isNull();
    }

    private static RelayConfig relay(Route... routes) {
        return RelayConfig.relayTo(SOME)
                .with(c -> c.upstreams = Map.of("none", NONE, "some", SOME))
                .with(c -> c.routes = List.of(routes));
    }
}
