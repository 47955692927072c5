package io.millrace.it.browser;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import io.millrace.server.RelayServer;
import io.millrace.server.config.file.ConfigLoader;
import io.millrace.server.config.file.ConfigSources;
import io.millrace.server.mock.MockConfig;
import io.millrace.server.mock.MockServer;
import io.millrace.server.mock.MockSpec;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** The page of {@code examples/browser}, with the relay's file beside it. */
@ExtendWith(Chromium.Parameter.class)
class ExamplePageTest {
    private static final Path EXAMPLE =
            Path.of("..", "examples", "browser").toAbsolutePath().normalize();
    private static final String PROMPT = "Why is the sky blue?";

    /** Keeps what the page has said about its state. */
    private static final String WATCH_STATE = """
            window.states = [];
            new MutationObserver(() => states.push(document.querySelector('#state').textContent))
                .observe(document.querySelector('#state'), { childList: true });
            """;

    @TempDir
    private Path directory;

    @Test
    void eachTokenIsThereOnceThoughTheConnectionIsCut(Chromium browser) throws Exception {
        HttpServer pages = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        byte[] example = Files.readAllBytes(EXAMPLE.resolve("index.html"));
        pages.createContext("/", exchange -> {
            exchange.getResponseHeaders().set("Content-Type", "text/html");
            exchange.sendResponseHeaders(200, example.length);
            exchange.getResponseBody().write(example);
            exchange.close();
        });
        pages.start();
        String origin = "http://127.0.0.1:" + pages.getAddress().getPort();
        try (var mock = MockServer.start(MockConfig.defaults().withSpec(MockSpec.parse("tokens=60,gap_ms=40")));
                var relay = RelayServer.start(ConfigLoader.load(new ConfigSources(
                        file(mock.uri().toString(), origin),
                        Map.of("OPENAI_API_KEY", "sk-test"),
                        Map.of(),
                        mock::uri)));
                var way = Breaker.to(relay.addresses().get(0).getPort())) {
            Tab page =
                    browser.open(origin + "/index.html?relay=" + URLEncoder.encode(way.url(), StandardCharsets.UTF_8));
            page.eval(WATCH_STATE);
            page.eval("document.querySelector('form').requestSubmit()");
            page.await("document.querySelector('#answer').textContent.length > 40");
            way.cut();
            page.await("document.querySelector('#state').textContent === 'done'");
            assertThat(page.text("#answer"))
                    .isEqualTo(whole(relay.addresses().get(0).getPort()));
            assertThat(page.eval("states.join()").asText()).contains("connecting again");
            assertThat(mock.requests()).hasSize(2); // the page's one, and that of this test
        } finally {
            pages.stop(0);
        }
    }

    private Path file(String upstream, String origin) throws Exception {
        return Files.writeString(
                directory.resolve("millrace.yaml"),
                Files.readString(EXAMPLE.resolve("millrace.yaml"))
                        .replace("127.0.0.1:8080", "127.0.0.1:0")
                        .replace("http://localhost:8000", origin)
                        .replace("https://api.openai.com", upstream));
    }

    /** The same answer in one piece. */
    private static String whole(int port) throws Exception {
        String query = "?format=text&prompt=" + URLEncoder.encode(PROMPT, StandardCharsets.UTF_8);
        var request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/chat" + query))
                .build();
        return HttpClient.newHttpClient().send(request, BodyHandlers.ofString()).body();
    }
}
