package io.millrace.it.browser;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.HttpServer;
import io.millrace.server.RelayServer;
import io.millrace.server.redis.RedisServer;
import java.io.BufferedReader;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** The readers of {@code /chat}: the code in {@code docs/chat.md}, unchanged, and the readers that tutorials teach. */
@ExtendWith(Chromium.Parameter.class)
class ReadersTest {
    private static final String SECTION = "Text for your page";
    private static final List<String> PIECES = List.of(
            "One",
            " two  three",
            "\n\n  indented\n",
            "",
            ": no comment\ndata: no field",
            " 👩‍👩‍👧",
            "水",
            "\n",
            "event: error",
            " end ");
    private static final String TEXT = String.join("", PIECES);
    private static final String BY_SLICE = """
            const response = await fetch('%s/chat', {
              method: 'POST',
              headers: { 'Content-Type': 'application/json' },
              body: JSON.stringify({ prompt: 'Hello' }),
            });
            const reader = response.body.getReader();
            const decoder = new TextDecoder();
            while (true) {
              const { done, value } = await reader.read();
              if (done) break;
              for (const line of decoder.decode(value).split('\\n')) {
                if (!line.startsWith('data: ')) continue;
                const data = line.slice(6);
                if (data === '[DONE]') window.finished = true;
                else document.querySelector('#answer').append(data);
              }
            }
            """;
    private static final String CARELESS_EVENT_SOURCE = """
            window.source = new EventSource('%s/chat?prompt=Hello');
            source.onmessage = (event) => document.querySelector('#answer').append(event.data);
            """;
    private static final String EVENT_SOURCE_OF_CHUNKS = """
            window.losses = 0;
            window.source = new EventSource('%s');
            source.onerror = () => window.losses++;
            source.onmessage = (event) => {
              if (event.data === '[DONE]') source.close();
              else document.querySelector('#answer').append(JSON.parse(event.data).choices[0]?.delta.content ?? '');
            };
            """;
    private static final String BODY =
            "{\"model\":\"mock\",\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":\"Hello\"}]}";

    private Teller teller;
    private HttpServer pages;
    private RelayServer relay;
    private volatile String script;

    @BeforeEach
    void start() throws IOException {
        teller = Teller.start();
        pages = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        pages.createContext("/", exchange -> {
            byte[] page = ("<!doctype html><meta charset=utf-8><pre id=answer></pre><script type=module>" + script
                            + "\nwindow.finished = true</script>")
                    .getBytes(StandardCharsets.UTF_8);
            exchange.getResponseHeaders().set("Content-Type", "text/html");
            exchange.sendResponseHeaders(200, page.length);
            exchange.getResponseBody().write(page);
            exchange.close();
        });
        pages.start();
        relay = ChatRelay.start(teller.uri(), origin());
    }

    @AfterEach
    void stop() throws IOException {
        relay.close();
        pages.stop(0);
        teller.close();
    }

    @Test
    void theGuidesFetchGetsEveryText(Chromium chromium) throws IOException {
        script = code("js").get(0);
        try (var tab = chromium.open(origin() + "/")) {
            tellAll();
            tab.await("window.finished");
            assertThat(tab.text("#answer")).isEqualTo(TEXT);
        }
    }

    @Test
    void theGuidesFetchThrowsWhenAnAnswerBreaksOff(Chromium chromium) throws IOException {
        script = code("js").get(0);
        try (var tab = chromium.open(origin() + "/")) {
            teller.tell("Half");
            tab.await("document.querySelector('#answer').textContent === 'Half'");
            teller.breakOff();
            tab.await("violations.length");
            assertThat(tab.eval("violations[0]").asText()).contains("after 1 output frames");
            assertThat(tab.eval("!window.finished").asBoolean()).isTrue();
        }
    }

    @Test
    void theGuidesEventSourceGetsEveryTextAndEnds(Chromium chromium) throws IOException {
        script = code("js").get(1) + "window.source = source";
        try (var tab = chromium.open(origin() + "/")) {
            tellAll();
            tab.await("source.readyState === EventSource.CLOSED");
            assertThat(tab.text("#answer")).isEqualTo(TEXT);
            assertThat(teller.requests()).isEqualTo(1);
        }
    }

    @Test
    void theGuidesEventSourceTellsThatAnAnswerBrokeOff(Chromium chromium) throws IOException {
        script = code("js").get(1) + "window.source = source";
        try (var tab = chromium.open(origin() + "/")) {
            teller.tell("Half");
            tab.await("document.querySelector('#answer').textContent === 'Half'");
            teller.breakOff();
            tab.await("source.readyState === EventSource.CLOSED");
            assertThat(tab.text("#answer")).startsWith("Half [").contains("after 1 output frames");
            assertThat(teller.requests()).isEqualTo(1);
        }
    }

    @Test
    void anEventSourceThatComesBackIsSentAwayAndNothingAskedAgain(Chromium chromium) throws IOException {
        script = CARELESS_EVENT_SOURCE.formatted(url());
        try (var tab = chromium.open(origin() + "/")) {
            teller.tell("Once");
            teller.end();
            // It reconnects by design. Only a 204 or another failure closes it.
            tab.await("source.readyState === EventSource.CLOSED");
            assertThat(tab.text("#answer")).isEqualTo("Once[DONE]");
            assertThat(teller.requests()).isEqualTo(1);
        }
    }

    @Test
    void anEventSourceGoesOnWhereItsConnectionWasLost(Chromium chromium) throws IOException {
        try (var keeping = ChatRelay.startKeeping(teller.uri(), origin());
                var way = Breaker.to(keeping.addresses().get(0).getPort())) {
            script = CARELESS_EVENT_SOURCE.formatted(way.url());
            try (var tab = chromium.open(origin() + "/")) {
                teller.tell("One");
                tab.await("document.querySelector('#answer').textContent === 'One'");
                way.cut();
                teller.tell(" and");
                tab.await("document.querySelector('#answer').textContent === 'One and'");
                teller.end();
                tab.await("source.readyState === EventSource.CLOSED");
                assertThat(tab.text("#answer")).isEqualTo("One and[DONE]");
                assertThat(teller.requests()).isEqualTo(1);
            }
        }
    }

    /** It reads the stream of another relay. While Redis does not answer, it is told to come back, and does so. */
    @Test
    void anEventSourceOutlivesAStoreThatDoesNotAnswer(Chromium chromium, @TempDir Path directory) throws Exception {
        try (var redis = RedisServer.start(directory);
                var one = ChatRelay.startSharing(teller.uri(), redis.port(), origin());
                var two = ChatRelay.startSharing(teller.uri(), redis.port(), origin())) {
            String path = startLater(ChatRelay.url(one) + "/v1/chat/completions")
                    .headers()
                    .firstValue("location")
                    .orElseThrow();
            teller.tell("One");
            String stream = ChatRelay.url(two) + path + "?ids";
            await().until(() -> firstLine(stream).startsWith("data: "));
            redis.pause();
            await().until(() -> firstLine(stream).startsWith("retry: "));
            script = EVENT_SOURCE_OF_CHUNKS.formatted(stream);
            try (var tab = chromium.open(origin() + "/")) {
                tab.await("window.losses > 0");
                assertThat(tab.eval("source.readyState === EventSource.CONNECTING")
                                .asBoolean())
                        .isTrue();
                redis.resume();
                teller.tell(" and");
                teller.end();
                tab.await("source.readyState === EventSource.CLOSED");
                assertThat(tab.text("#answer")).isEqualTo("One and");
                assertThat(teller.requests()).isEqualTo(1);
            }
        }
    }

    @Test
    void aReaderBySliceGetsTextOfSingleLines(Chromium chromium) throws IOException {
        script = BY_SLICE.formatted(url());
        try (var tab = chromium.open(origin() + "/")) {
            for (String piece : List.of("One", " two", "  three", ",", " 4.5")) {
                int length = tab.text("#answer").length();
                teller.tell(piece);
                tab.await("document.querySelector('#answer').textContent.length > " + length);
            }
            teller.end();
            tab.await("window.finished");
            assertThat(tab.text("#answer")).isEqualTo("One two  three, 4.5");
        }
    }

    @Test
    void theGuidesPythonGetsEveryText() throws Exception {
        var program = Files.createTempFile("millrace-readme-", ".py");
        Files.writeString(program, code("python").get(0));
        tellAll();
        assertThat(run("python3", program.toString())).isEqualTo(TEXT);
        Files.delete(program);
    }

    @Test
    void theGuidesCurlGetsEveryText() throws Exception {
        tellAll();
        assertThat(run("sh", "-c", code("sh").get(0).replace("curl ", "curl -sS ")))
                .isEqualTo(TEXT);
    }

    private static HttpResponse<String> startLater(String url) throws Exception {
        var request = HttpRequest.newBuilder(URI.create(url))
                .header("Prefer", "respond-async")
                .POST(HttpRequest.BodyPublishers.ofString(BODY));
        return HttpClient.newHttpClient().send(request.build(), HttpResponse.BodyHandlers.ofString());
    }

    /** The first line of what a reader gets, who then leaves. */
    private static String firstLine(String url) throws IOException {
        try (var body = URI.create(url).toURL().openStream();
                var lines = new BufferedReader(new InputStreamReader(body, StandardCharsets.UTF_8))) {
            return String.valueOf(lines.readLine());
        } catch (FileNotFoundException e) {
            return "not found";
        }
    }

    private void tellAll() {
        PIECES.forEach(teller::tell);
        teller.end();
    }

    private static String run(String... command) throws IOException, InterruptedException {
        var builder = new ProcessBuilder(command);
        builder.environment().put("PYTHONIOENCODING", "utf-8");
        var process = builder.redirectErrorStream(true).start();
        process.getOutputStream().close();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).as(output).isZero();
        return output;
    }

    private List<String> code(String language) throws IOException {
        return ChatGuide.code(SECTION, language, url());
    }

    private String origin() {
        return "http://127.0.0.1:" + pages.getAddress().getPort();
    }

    private String url() {
        return ChatRelay.url(relay);
    }
}
