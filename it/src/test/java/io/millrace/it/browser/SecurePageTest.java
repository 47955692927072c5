package io.millrace.it.browser;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.codec.dialect.Dialect;
import io.millrace.it.clients.TestTls;
import io.millrace.server.RelayServer;
import io.millrace.server.config.ListenAddress.HostAndPort;
import io.millrace.server.config.Listener;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.RelayConfig.AccessLog;
import io.millrace.server.config.Upstream;
import io.millrace.server.mock.MockConfig;
import io.millrace.server.mock.MockServer;
import java.net.URI;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** A page over TLS can have more streams at once than the six that HTTP/1.1 allows. */
@ExtendWith(Chromium.Parameter.class)
class SecurePageTest {
    private static final int SOURCES = 10;
    private static final String OPEN = """
            window.texts = Array(%d).fill('');
            window.sources = texts.map((_, i) => {
              const source = new EventSource('/chat?prompt=Hello');
              source.onmessage = (event) => { texts[i] += event.data };
              return source;
            });
            true""".formatted(SOURCES);

    @Test
    void tenEventSourcesStreamAtOnce(Chromium chromium) {
        try (var mock = MockServer.start(MockConfig.defaults());
                var relay = start(mock.port())) {
            String url = "https://127.0.0.1:" + relay.addresses().get(0).getPort() + "/";
            try (var tab = chromium.open(url)) {
                assertThat(tab.eval("performance.getEntriesByType('navigation')[0].nextHopProtocol")
                                .asText())
                        .isEqualTo("h2");
                tab.eval(OPEN);
                tab.await("texts.every((text) => text.length > 20)");
                assertThat(tab.eval("sources.every((source) => source.readyState === EventSource.OPEN)")
                                .asBoolean())
                        .isTrue();
                assertThat(relay.metrics().activeExchanges()).isEqualTo(SOURCES);
                tab.eval("sources.slice(0, 4).forEach((source) => source.close())");
                Awaitility.await().until(() -> relay.metrics().activeExchanges() == SOURCES - 4);
                tab.eval("window.before = texts.map((text) => text.length); true");
                tab.await("texts.slice(4).every((text, i) => text.length > before[i + 4])");
                tab.eval("sources.forEach((source) => source.close())");
                Awaitility.await().until(() -> relay.metrics().activeExchanges() == 0);
            }
        }
    }

    private static RelayServer start(int mockPort) {
        var target = Upstream.of("default", URI.create("http://127.0.0.1:" + mockPort))
                .with(u -> u.dialects = List.of(Dialect.CHAT))
                .with(u -> u.model = "mock:tokens=2000,gap_ms=50");
        var listener = Listener.at(new HostAndPort("127.0.0.1", 0))
                .with(l -> l.tls = TestTls.make().listener());
        return RelayServer.start(RelayConfig.relayTo(target)
                .with(c -> c.accessLog = AccessLog.OFF)
                .with(c -> c.listeners = List.of(listener)));
    }
}
