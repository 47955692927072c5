package io.millrace.it.browser;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.server.RelayServer;
import io.millrace.server.mock.MockConfig;
import io.millrace.server.mock.MockServer;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** The page {@code Streams} as a person sees it. */
@ExtendWith(Chromium.Parameter.class)
class StreamsPageTest {
    private static final String ROW = "document.querySelector('#rows tr')";

    @Test
    void showsStreamsAsTheyRunAndStopsOneByKeyboard(Chromium chromium) {
        try (var mock = MockServer.start(MockConfig.defaults());
                var relay = ChatRelay.start(mock.uri());
                var tab = chromium.open(ChatRelay.url(relay) + "/millrace/streams")) {
            tab.await("document.body.dataset.link === 'live'");
            assertThat(tab.text("#total")).isEqualTo("0");
            assertThat(tab.text("#empty")).isEqualTo("No request is in progress.");
            assertThat(tab.text("#origins .health")).isEqualTo("Serving");

            CompletableFuture<String> stalled = ask(relay, "mock:tokens=9,stall_after=3");
            tab.await(ROW + "?.classList.contains('stalled')");
            assertThat(tab.text("#rows .model")).isEqualTo("mock:tokens=9,stall_after=3");
            assertThat(tab.text("#rows .state")).isEqualTo("Silent");
            assertThat(tab.text("#rows .ttft")).matches("[0-9.]+ m?s");
            tab.await("document.querySelector('#stalled').textContent === '1'");
            String silence = tab.text("#rows .silence");
            tab.await(ROW + ".querySelector('.silence').textContent !== '" + silence + "'");

            tab.eval("document.querySelector('#rows .stop').focus()");
            tab.press("Enter");
            assertThat(tab.text("#rows .stop")).isEqualTo("Sure?");
            assertThat(stalled).isNotDone();
            tab.press("Enter");
            assertThat(stalled.join()).contains("relay_stopped");
            tab.await("!" + ROW);
            tab.await("document.querySelectorAll('#chart-ends canvas').length === 1");
            tab.await(
                    "/^[0-9.]+\\/s$/.test(document.querySelector('#chart-ends [data-color=\"--soft\"] b').textContent)");
            assertThat(tab.eval("violations.join()").asText()).isEmpty();
        }
    }

    @Test
    void sortsFiltersAndKeepsBothInItsAddress(Chromium chromium) {
        try (var mock = MockServer.start(MockConfig.defaults());
                var relay = ChatRelay.start(mock.uri());
                var tab = chromium.open(ChatRelay.url(relay) + "/millrace/streams")) {
            for (String name : new String[] {"tokens=11", "tokens=12", "tokens=13"}) {
                ask(relay, "mock:stall_after=1," + name);
                tab.await("document.querySelectorAll('#rows tr').length === " + name.charAt(name.length() - 1));
            }
            String models = "[...document.querySelectorAll('#rows .model')].map((c) => c.textContent.slice(-2)).join()";
            tab.eval("document.querySelector('[data-sort=model] .sort').focus()");
            tab.press("Enter");
            tab.await(models + " === '11,12,13'");
            tab.press("Enter");
            tab.await(models + " === '13,12,11'");
            assertThat(tab.eval("document.querySelector('[data-sort=model]').ariaSort")
                            .asText())
                    .isEqualTo("descending");

            tab.eval("document.querySelector('#filter').focus()");
            tab.type("=12");
            tab.await(models + " === '12'");
            tab.load(ChatRelay.url(relay)
                    + tab.eval("location.pathname + location.search").asText());
            tab.await(models + " === '12'");
            assertThat(tab.text("#total")).isEqualTo("3");
        }
    }

    @Test
    void fitsAnyWidthAndLoadsNothingFromElsewhere(Chromium chromium) {
        try (var mock = MockServer.start(MockConfig.defaults());
                var relay = ChatRelay.start(mock.uri());
                var tab = chromium.open("about:blank")) {
            ask(relay, "mock:tokens=9,stall_after=3");
            for (int width : new int[] {390, 1280}) {
                for (String scheme : new String[] {"light", "dark"}) {
                    tab.resize(width, 844);
                    tab.colorScheme(scheme);
                    tab.load(ChatRelay.url(relay) + "/millrace/streams?" + width + scheme);
                    tab.await(ROW + "?.classList.contains('stalled')");
                    assertThat(tab.eval("document.documentElement.scrollWidth").asInt())
                            .as("nothing to scroll sideways at %d", width)
                            .isLessThanOrEqualTo(width);
                    assertThat(tab.eval(ROW + ".querySelector('.stop').getBoundingClientRect().right")
                                    .asDouble())
                            .as("the stop is in reach")
                            .isLessThanOrEqualTo(width);
                    assertThat(tab.eval("performance.getEntriesByType('resource').map((e) => new URL(e.name).origin)"
                                            + ".every((origin) => origin === location.origin)")
                                    .asBoolean())
                            .isTrue();
                    assertThat(tab.eval("violations.join()").asText()).isEmpty();
                }
            }
        }
    }

    @Test
    void comesBackAfterTheRelayWasAway(Chromium chromium) throws Exception {
        try (var mock = MockServer.start(MockConfig.defaults());
                var relay = ChatRelay.start(mock.uri());
                var way = Breaker.to(relay.addresses().get(0).getPort());
                var tab = chromium.open(way.url() + "/millrace/streams")) {
            tab.await("document.body.dataset.link === 'live'");
            way.cut();
            tab.await("document.body.dataset.link === 'lost'");
            ask(relay, "mock:tokens=9,stall_after=3");
            tab.await("document.body.dataset.link === 'live' && document.querySelectorAll('#rows tr').length === 1");
        }
    }

    /** Asks for an answer in text; its body when it has ended. */
    private static CompletableFuture<String> ask(RelayServer relay, String model) {
        String form = "prompt=Hello&model=" + URLEncoder.encode(model, StandardCharsets.UTF_8);
        HttpRequest request = HttpRequest.newBuilder(URI.create(ChatRelay.url(relay) + "/chat"))
                .header("Content-Type", "application/x-www-form-urlencoded")
                .header("Accept", "text/event-stream")
                .POST(HttpRequest.BodyPublishers.ofString(form))
                .build();
        return HttpClient.newHttpClient()
                .sendAsync(request, HttpResponse.BodyHandlers.ofString())
                .thenApply(HttpResponse::body);
    }
}
