package io.millrace.it.browser;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import io.millrace.server.RelayServer;
import io.millrace.server.config.file.ConfigLoader;
import io.millrace.server.config.file.ConfigSources;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URLEncoder;
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
        try (var teller = Teller.start();
                var relay = RelayServer.start(ConfigLoader.load(new ConfigSources(
                        file(teller.uri().toString(), origin),
                        Map.of("OPENAI_API_KEY", "sk-test"),
                        Map.of(),
                        teller::uri)));
                var way = Breaker.to(relay.addresses().get(0).getPort())) {
            Tab page =
                    browser.open(origin + "/index.html?relay=" + URLEncoder.encode(way.url(), StandardCharsets.UTF_8));
            page.eval(WATCH_STATE);
            page.eval("document.querySelector('form').requestSubmit()");
            teller.tell("Blue light");
            page.await("document.querySelector('#answer').textContent === 'Blue light'");
            way.cut();
            teller.tell(" scatters");
            page.await("document.querySelector('#answer').textContent === 'Blue light scatters'");
            teller.tell(" most.");
            teller.end();
            page.await("document.querySelector('#state').textContent === 'done'");
            assertThat(page.text("#answer")).isEqualTo("Blue light scatters most.");
            assertThat(page.eval("states.join()").asText()).contains("connecting again");
            assertThat(teller.requests()).isEqualTo(1);
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
}
