package io.millrace.server.telemetry.otlp;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.codec.dialect.Dialect;
import io.millrace.server.RelayServer;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.RelayConfig.AccessLog;
import io.millrace.server.config.Telemetry.Otlp;
import io.millrace.server.mock.MockConfig;
import io.millrace.server.mock.MockServer;
import java.io.IOException;
import java.net.URI;
import java.net.URL;
import java.net.URLClassLoader;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A relay without a collector loads no class of OpenTelemetry, nor of the room that knows it. */
@Tag("sockets")
class OtlpOffTest {
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void loadsOpenTelemetryOnlyForACollector(boolean on) throws Exception {
        try (var mock = MockServer.start(MockConfig.defaults());
                var receiver = Receiver.start();
                var loader = new Watch()) {
            @SuppressWarnings("unchecked")
            var serve = (Consumer<URI[]>)
                    loader.loadClass(Serve.class.getName()).getConstructor().newInstance();
            serve.accept(new URI[] {mock.uri(), on ? receiver.uri() : null});
            assertThat(mock.stats().requests()).isEqualTo(1);
            assertThat(loader.asked.stream().anyMatch(name -> name.startsWith("io.opentelemetry.")))
                    .isEqualTo(on);
            assertThat(loader.asked.stream().anyMatch(name -> name.endsWith(".otlp.OtlpExport")))
                    .isEqualTo(on);
        }
    }

    /** A relay that serves one request and closes. */
    public static final class Serve implements Consumer<URI[]> {
        @Override
        public void accept(URI[] uris) {
            Otlp otlp = Otlp.OFF.with(o -> o.endpoint = uris[1]);
            RelayConfig config = RelayConfig.relayTo(uris[0])
                    .with(c -> c.accessLog = AccessLog.OFF)
                    .with(c -> c.telemetry = c.telemetry.with(t -> t.otlp = otlp));
            try (RelayServer relay = RelayServer.start(config)) {
                URI chat = URI.create(
                        "http://127.0.0.1:" + relay.addresses().get(0).getPort() + "/v1/chat/completions");
                var request = HttpRequest.newBuilder(chat)
                        .header("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
                        .POST(HttpRequest.BodyPublishers.ofString("{\"model\":\"m\",\"stream\":true}"))
                        .build();
                var response = HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());
                assertThat(response.statusCode()).isEqualTo(200);
            } catch (IOException e) {
                throw new IllegalStateException(e);
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }
    }

    /** Loads the product anew, and notes what it asks for. */
    private static final class Watch extends URLClassLoader {
        private final Set<String> asked = ConcurrentHashMap.newKeySet();

        Watch() {
            super(
                    Stream.of(RelayServer.class, OtlpOffTest.class, Dialect.class)
                            .map(type ->
                                    type.getProtectionDomain().getCodeSource().getLocation())
                            .toArray(URL[]::new),
                    OtlpOffTest.class.getClassLoader());
        }

        @Override
        protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
            synchronized (getClassLoadingLock(name)) {
                asked.add(name);
                if (!name.startsWith("io.millrace.")) {
                    return super.loadClass(name, resolve);
                }
                Class<?> loaded = findLoadedClass(name);
                return loaded != null ? loaded : findClass(name);
            }
        }
    }
}
