package io.millrace.it.browser;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.millrace.server.mock.MockConfig;
import io.millrace.server.mock.MockServer;
import java.io.IOException;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** The page at {@code GET /} as a person sees it. */
@ExtendWith(Chromium.Parameter.class)
class PlaygroundTest {
    private static final String MARKDOWN = """
            # Rivers

            Some **long**, some `short`:

            | name | km |
            | --- | ---: |
            | Nile | 6650 |

            ```js
            const wide = 'a line of code that is much wider than any telephone is, so that it has to scroll by itself';
            ```

            - 👩‍👩‍👧 水 naïve
            """;
    private static final String INJECTION = """
            <script>window.hurt = 1</script>
            <img src=x onerror="window.hurt = 2">

            Text <svg onload="window.hurt = 3"><b onclick="window.hurt = 4">bold</b> [a](javascript:window.hurt=5)
            [b](data:text/html,<script>window.hurt=6</script>) ![c](http://127.0.0.1:1/c.png)
            <style>body { display: none }</style><form action="/x"><input name="y"></form>
            <a href="https://example.com/" target="_self" onclick="window.hurt=7">d</a> [e](https://example.com/)
            """;

    @Test
    void showsTextAsItComesAndWhen(Chromium chromium) throws IOException {
        try (var teller = Teller.start();
                var relay = ChatRelay.start(teller.uri());
                var tab = chromium.open(ChatRelay.url(relay) + "/")) {
            ask(tab, "Hello");
            tab.await("document.body.dataset.state === 'waiting'");
            assertThat(tab.text("#ttft")).isEqualTo("–");
            assertThat(tab.text("#go-label")).isEqualTo("Stop");

            teller.tell("One");
            tab.await("document.querySelector('#answer').textContent.trim() === 'One'");
            tab.await("/^[0-9.]+ m?s$/.test(document.querySelector('#ttft').textContent)");
            teller.tell(" and");
            tab.await("document.querySelector('#answer').textContent.trim() === 'One and'");
            teller.tell(" two.");
            tab.await("document.querySelector('#answer').textContent.trim() === 'One and two.'");
            assertThat(tab.eval("document.body.dataset.state").asText()).isEqualTo("streaming");

            teller.end();
            tab.await("document.body.dataset.state === 'done'");
            assertThat(tab.text("#longest")).matches("[0-9.]+ m?s");
            assertThat(tab.text("#usage")).isEqualTo("7 in, 3 out");
            assertThat(tab.text("#state")).startsWith("Done: 3 pieces, stop");
            assertThat(tab.eval("document.querySelector('#timeline .ticks').getAttribute('d').match(/M/g).length")
                            .asInt())
                    .isEqualTo(3);
            assertThat(tab.text("#go-label")).isEqualTo("Send");
            assertThat(tab.eval("violations.join()").asText()).isEmpty();
        }
    }

    @Test
    void measuresNoLessThanTheProvidersPace(Chromium chromium) {
        try (var mock = MockServer.start(MockConfig.defaults());
                var relay = ChatRelay.start(mock.uri());
                var tab = chromium.open(ChatRelay.url(relay) + "/")) {
            tab.eval("document.querySelector('#model').value = 'mock:tokens=8,ttft_ms=120,gap_ms=40'");
            tab.eval("""
                    window.seen = [];
                    new MutationObserver(() => {
                      const length = document.querySelector('#answer').textContent.length;
                      if (length > (seen.at(-1)?.length ?? 0)) seen.push({ length, at: performance.now() });
                    }).observe(document.querySelector('#answer'), { childList: true, subtree: true, characterData: true });
                    """);
            double from = tab.eval("performance.now()").asDouble();
            ask(tab, "Hello");
            tab.await("document.body.dataset.state === 'done'");

            JsonNode seen = tab.eval("seen");
            assertThat(seen.size()).as("the text grew: %s", seen).isGreaterThan(1);
            assertThat(seen.get(0).path("at").asDouble() - from).isGreaterThan(119);
            assertThat(seen.get(seen.size() - 1).path("at").asDouble() - from).isGreaterThan(119 + 7 * 39);
        }
    }

    @Test
    void rendersMarkdownOnAnyWidth(Chromium chromium) throws IOException {
        try (var teller = Teller.start();
                var relay = ChatRelay.start(teller.uri());
                var tab = chromium.open(ChatRelay.url(relay) + "/")) {
            tab.resize(320, 640);
            ask(tab, "Rivers");
            // Cuts in the most difficult place: inside markup.
            for (int at = 0; at < MARKDOWN.length(); at += 7) {
                teller.tell(MARKDOWN.substring(at, Math.min(at + 7, MARKDOWN.length())));
            }
            teller.end();
            tab.await("document.body.dataset.state === 'done'");

            assertThat(tab.text("#answer h1")).isEqualTo("Rivers");
            assertThat(tab.text("#answer strong")).isEqualTo("long");
            assertThat(tab.text("#answer p code")).isEqualTo("short");
            assertThat(tab.text("#answer td[align=right]")).isEqualTo("6650");
            assertThat(tab.text("#answer pre code")).startsWith("const wide = 'a line");
            assertThat(tab.text("#answer .code-head span")).isEqualTo("js");
            assertThat(tab.text("#answer li")).isEqualTo("👩‍👩‍👧 水 naïve");
            assertThat(tab.eval("document.documentElement.scrollWidth").asInt())
                    .as("nothing to scroll sideways")
                    .isLessThanOrEqualTo(320);

            String paper = "getComputedStyle(document.documentElement).backgroundColor";
            tab.colorScheme("light");
            String light = tab.eval(paper).asText();
            tab.colorScheme("dark");
            assertThat(tab.eval(paper).asText()).isNotEqualTo(light);
            assertThat(tab.eval("violations.join()").asText()).isEmpty();
        }
    }

    @Test
    void runsNothingOfAnAnswer(Chromium chromium) throws IOException {
        try (var teller = Teller.start();
                var relay = ChatRelay.start(teller.uri());
                var tab = chromium.open(ChatRelay.url(relay) + "/")) {
            ask(tab, "Hurt me");
            teller.tell(INJECTION);
            teller.tell("\nIts end.");
            teller.end();
            tab.await("document.body.dataset.state === 'done'");

            assertThat(tab.text("#answer"))
                    .as("HTML is shown as the text that it is")
                    .contains("<script>window.hurt = 1</script>", "<img src=x onerror", "<style>", "Its end.");
            tab.eval("document.querySelectorAll('#answer *').forEach((e) => e.href || e.click())");
            assertThat(tab.eval("window.hurt").isNull()
                            || tab.eval("window.hurt").isMissingNode())
                    .isTrue();
            assertThat(tab.eval(
                                    "[...document.querySelectorAll('#answer *')].map((e) => e.localName)"
                                            + ".filter((n) => !['p', 'pre', 'code', 'a', 'div', 'span', 'button'].includes(n)).join()")
                            .asText())
                    .isEmpty();
            assertThat(tab.eval(
                                    "[...document.querySelectorAll('#answer a[href]')].map((a) => a.href + ' ' + a.rel).join()")
                            .asText())
                    .isEqualTo("http://127.0.0.1:1/c.png noopener noreferrer,https://example.com/ noopener noreferrer");
            assertThat(tab.eval("violations.join()").asText())
                    .as("the sanitiser left nothing for the policy to stop")
                    .isEmpty();
        }
    }

    @Test
    void stopsAtEscapeAndKeepsWhatCame(Chromium chromium) throws IOException {
        try (var mock = MockServer.start(MockConfig.defaults());
                var relay = ChatRelay.start(mock.uri());
                var tab = chromium.open(ChatRelay.url(relay) + "/")) {
            tab.eval("document.querySelector('#model').value = 'mock:tokens=3,stall_after=2'");
            ask(tab, "Hello");
            tab.await("document.querySelector('#answer').textContent.trim() !== ''");
            tab.press("Escape");
            tab.await("document.body.dataset.state === 'stopped'");

            assertThat(tab.text("#answer")).startsWith("You");
            assertThat(tab.text("#note")).isEqualTo("Stopped here, by you.");
            Awaitility.await().until(() -> mock.stats().streamsAborted() == 1);
        }
    }

    @Test
    void saysWhatTheProviderRefuses(Chromium chromium) {
        try (var mock = MockServer.start(MockConfig.defaults());
                var relay = ChatRelay.start(mock.uri());
                var tab = chromium.open(ChatRelay.url(relay) + "/")) {
            tab.eval("document.querySelector('#model').value = 'mock:status=401'");
            ask(tab, "Hello");
            tab.await("document.body.dataset.state === 'failed'");

            assertThat(tab.text("#note")).startsWith("401").contains("The mock was asked to fail here.");
            assertThat(tab.text("#answer")).isEmpty();
            assertThat(tab.text("#state")).isEqualTo("Failed");
            assertThat(tab.text("#ttft")).isEqualTo("–");
        }
    }

    @Test
    void neverTakesABrokenAnswerForAWholeOne(Chromium chromium) throws IOException {
        try (var teller = Teller.start();
                var relay = ChatRelay.start(teller.uri());
                var tab = chromium.open(ChatRelay.url(relay) + "/")) {
            ask(tab, "Hello");
            teller.tell("Half an");
            tab.await("document.querySelector('#answer').textContent.trim() === 'Half an'");
            teller.breakOff();
            tab.await("document.body.dataset.state === 'failed'");

            assertThat(tab.text("#answer").strip()).isEqualTo("Half an");
            assertThat(tab.text("#note")).startsWith("Broken off here. ").contains("after 1 output frames");
            assertThat(tab.text("#state")).isEqualTo("Broken off after 1 piece");
        }
    }

    @Test
    void goesOnWhereAConnectionWasLostAndAfterAReload(Chromium chromium) throws IOException {
        try (var teller = Teller.start();
                var relay = ChatRelay.startKeeping(teller.uri());
                var way = Breaker.to(relay.addresses().get(0).getPort());
                var tab = chromium.open(way.url() + "/")) {
            ask(tab, "Hello");
            teller.tell("One 水");
            tab.await("document.querySelector('#answer').textContent.trim() === 'One 水'");
            way.cut();
            teller.tell(" and");
            tab.await("document.querySelector('#answer').textContent.trim() === 'One 水 and'");
            tab.eval("window.before = true");
            tab.load(way.url() + "/");
            tab.await("!window.before && document.querySelector('#answer').textContent.trim() === 'One 水 and'");
            teller.tell(" two.");
            teller.end();
            tab.await("document.body.dataset.state === 'done'");

            assertThat(tab.text("#answer").strip()).isEqualTo("One 水 and two.");
            assertThat(tab.eval("document.querySelector('#prompt').value").asText())
                    .isEqualTo("Hello");
            assertThat(tab.text("#usage")).isEqualTo("7 in, 3 out");
            assertThat(teller.requests()).isEqualTo(1);
            assertThat(tab.eval("sessionStorage.length").asInt()).isZero();
            assertThat(tab.eval("violations.join()").asText()).isEmpty();
        }
    }

    @Test
    void stopsAnAnswerThatIsKept(Chromium chromium) throws IOException {
        try (var mock = MockServer.start(MockConfig.defaults());
                var relay = ChatRelay.startKeeping(mock.uri());
                var tab = chromium.open(ChatRelay.url(relay) + "/")) {
            tab.eval("document.querySelector('#model').value = 'mock:tokens=3,stall_after=2'");
            ask(tab, "Hello");
            tab.await("document.querySelector('#answer').textContent.trim() !== ''");
            tab.press("Escape");
            Awaitility.await().until(() -> mock.stats().streamsAborted() == 1);
        }
    }

    @Test
    void saysWhenAStreamJustEndsOrTheRelayIsGone(Chromium chromium) throws IOException {
        try (var teller = Teller.start();
                var relay = ChatRelay.start(teller.uri());
                var tab = chromium.open(ChatRelay.url(relay) + "/")) {
            tab.eval("""
                    window.fetch = async () => new Response('event: delta\\ndata: {"index":0,"text":"Half"}\\n\\n',
                        { headers: { 'content-type': 'text/event-stream' } });
                    """);
            ask(tab, "Hello");
            tab.await("document.body.dataset.state === 'failed'");
            assertThat(tab.text("#answer").strip()).isEqualTo("Half");
            assertThat(tab.text("#note")).contains("ended without saying that the answer is complete");

            tab.eval("window.fetch = async () => { throw new TypeError('Failed to fetch'); }");
            tab.pressControl("Enter");
            tab.await("document.querySelector('#note').textContent.startsWith('No answer: ')");
            assertThat(tab.text("#note")).contains("Failed to fetch");
        }
    }

    @Test
    void tellsStallsFromPace(Chromium chromium) throws IOException {
        try (var teller = Teller.start();
                var relay = ChatRelay.start(teller.uri());
                var tab = chromium.open(ChatRelay.url(relay) + "/")) {
            JsonNode figures = tab.eval("""
                    import(document.querySelector('script').src.replace('page.js', 'timing.js')).then(({ Timing }) => {
                      const timing = new Timing();
                      timing.sent = 1000;
                      for (const at of [1300, 1320, 1340, 1340, 1360, 1700, 1719]) timing.arrived(at);
                      return { ttft: timing.ttft, units: timing.units, ...timing.figures() };
                    })
                    """);

            assertThat(figures.path("ttft").asInt()).isEqualTo(300);
            assertThat(figures.path("units").asInt()).isEqualTo(7);
            assertThat(figures.path("median").asInt()).isEqualTo(20);
            assertThat(figures.path("longest").asInt()).isEqualTo(340);
            assertThat(figures.path("stalls").asInt()).isEqualTo(1);
        }
    }

    @Test
    void offersModelsAndWhatToTryOnTheMock(Chromium chromium) {
        try (var mock = MockServer.start(MockConfig.defaults());
                var relay = ChatRelay.start(mock.uri());
                var tab = chromium.open(ChatRelay.url(relay) + "/")) {
            tab.await("document.querySelector('#models option')?.value === 'mock'");
            tab.await("!document.querySelector('#try').hidden");
            for (String way : new String[] {"an overload before the first token:done", "a cut:failed"}) {
                String[] parts = way.split(":", -1);
                tab.eval("[...document.querySelectorAll('#try button')].find((b) => b.textContent === '" + parts[0]
                        + "').click()");
                tab.await("document.body.dataset.state === '" + parts[1] + "'");
            }
            tab.eval("document.querySelectorAll('#try button')[1].click()");
            tab.await("document.body.classList.contains('silent')");
            assertThat(tab.text("#state")).matches("Silent for [0-9]+ s");
            assertThat(tab.eval("document.querySelector('#stop').getBoundingClientRect().bottom <= innerHeight")
                            .asBoolean())
                    .as("the stop is in sight, however long the answer is")
                    .isTrue();
            tab.eval("document.querySelector('#stop').click()");
            tab.await("document.body.dataset.state === 'stopped'");
            assertThat(tab.eval("violations.join()").asText()).isEmpty();
        }
    }

    @Test
    void theButtonForAnAnswerShowsAllOfItAndWhenItCame(Chromium chromium) {
        try (var mock = MockServer.start(MockConfig.defaults());
                var relay = ChatRelay.start(mock.uri());
                var tab = chromium.open(ChatRelay.url(relay) + "/")) {
            tab.await("!document.querySelector('#try').hidden");
            String button = "document.querySelectorAll('#try button')[0]";
            assertThat(tab.eval(button + ".textContent").asText()).isEqualTo("an answer");
            tab.eval(button + ".click()");
            tab.await("document.body.dataset.state === 'done'");

            String whole = tab.eval("""
                            fetch('chat', {
                              method: 'POST',
                              headers: { Accept: 'application/json', 'Content-Type': 'application/json' },
                              body: JSON.stringify({ model: %s.dataset.model, prompt: %s.dataset.prompt }),
                            }).then((response) => response.json()).then(({ text }) => text)
                            """.formatted(button, button)).asText();
            assertThat(whole).startsWith("You said: Tell me about rivers.").hasSizeGreaterThan(400);
            assertThat(tab.text("#answer").strip()).isEqualTo(whole);
            assertThat(tab.text("#state")).startsWith("Done: 120 pieces, stop");
            assertThat(tab.text("#note")).isEmpty();
            int ticks = tab.eval("document.querySelector('#timeline .ticks').getAttribute('d').match(/M/g).length")
                    .asInt();
            // On a busy machine, one read of the browser may bring two pieces.
            assertThat(ticks).isBetween(60, 120);
            assertThat(tab.eval("document.querySelector('#timeline').getAttribute('aria-label')")
                            .asText())
                    .startsWith("First token after ")
                    .contains(ticks - 1 + " gaps");
            assertThat(tab.text("#details"))
                    .contains("Requestmr-", "Upstreamdefault", "Attempts1", "TTFT by the relay", "TTFT by this page");
            assertThat(tab.text("#usage")).endsWith(" in, 120 out");
            assertThat(tab.text("#go-label")).isEqualTo("Send");
            assertThat(tab.eval("violations.join()").asText()).isEmpty();
        }
    }

    @Test
    void asksASecondModelBesideTheFirst(Chromium chromium) {
        try (var mock = MockServer.start(MockConfig.defaults());
                var relay = ChatRelay.start(mock.uri());
                var tab = chromium.open(ChatRelay.url(relay) + "/")) {
            tab.eval("document.querySelector('#model').value = 'mock:tokens=6,gap_ms=5'");
            tab.eval("document.querySelector('#beside-model').value = 'mock:tokens=9,stall_after=5'");
            ask(tab, "Hello");
            tab.await("document.body.dataset.state === 'done'");
            tab.await("document.querySelector('#beside .prose').textContent !== ''");
            assertThat(tab.text("#whose")).isEqualTo("mock:tokens=6,gap_ms=5");
            assertThat(tab.text("#beside .whose")).isEqualTo("mock:tokens=9,stall_after=5");
            assertThat(tab.text("#compared")).startsWith("TTFT ").contains("6 out");
            tab.eval("document.querySelector('#stop').click()");
            tab.await("document.querySelector('#beside .note').textContent === 'Stopped here, by you.'");
            tab.await("document.querySelector('#stop').hidden");
            assertThat(tab.text("#answer")).isNotEmpty();
            assertThat(tab.eval("document.documentElement.scrollWidth <= innerWidth")
                            .asBoolean())
                    .isTrue();
        }
    }

    @Test
    void aSecondAnswerIsReplacedAsAWhole(Chromium chromium) {
        try (var mock = MockServer.start(MockConfig.defaults());
                var relay = ChatRelay.start(mock.uri());
                var tab = chromium.open(ChatRelay.url(relay) + "/")) {
            String running = "import(document.querySelector('script').src.replace('page.js', 'beside.js'))"
                    + ".then(({ Beside }) => {"
                    + " const beside = new Beside(document.querySelector('#beside'), () => {});"
                    + " const first = beside.ask({ model: 'mock:ttft_ms=60000', prompt: 'Hello' }, '');"
                    + " beside.ask({ model: 'mock:tokens=9,stall_after=5', prompt: 'Hello' }, '');"
                    + " return first.then(() => beside.running);"
                    + "})";
            assertThat(tab.eval(running).asBoolean()).isTrue();
            tab.await("document.querySelector('#beside .prose').textContent !== ''");
            assertThat(tab.text("#beside .whose")).isEqualTo("mock:tokens=9,stall_after=5");
            assertThat(tab.text("#beside .note")).isEmpty();
        }
    }

    @Test
    void saysWhatIsBehindAnAnswerAndWhereItWasCutShort(Chromium chromium) {
        try (var mock = MockServer.start(MockConfig.defaults());
                var relay = ChatRelay.start(mock.uri());
                var tab = chromium.open(ChatRelay.url(relay) + "/")) {
            tab.eval("document.querySelector('#model').value = 'mock:tokens=6,gap_ms=5,finish=length'");
            tab.eval("document.querySelector('#max_tokens').value = '6'");
            ask(tab, "Hello");
            tab.await("document.body.dataset.state === 'short'");
            assertThat(tab.text("#note")).isEqualTo("Cut at the token limit.");
            assertThat(tab.text("#state")).startsWith("Ended early: 6 pieces, length");
            assertThat(tab.text("#details"))
                    .contains("Requestmr-", "Upstreamdefault", "Attempts1", "TTFT by the relay", "TTFT by this page");
            assertThat(tab.text("#answer p")).isNotEmpty();
            assertThat(tab.eval("document.querySelector('#answer p').dir").asText())
                    .isEqualTo("auto");

            tab.eval("document.querySelector('#frames').open = true");
            tab.await("document.querySelectorAll('#frame-rows tr').length >= 7");
            assertThat(tab.text("#frame-rows tr td:last-child")).startsWith("event: delta\ndata: {\"index\":0");
            tab.eval("{ const filter = document.querySelector('#frame-filter'); filter.value = 'event: stop';"
                    + " filter.dispatchEvent(new Event('input')); }");
            tab.await("document.querySelectorAll('#frame-rows tr').length === 1");
            for (String language : new String[] {"curl", "python", "javascript"}) {
                String text = tab.eval("import(document.querySelector('script').src.replace('page.js', 'snippets.js'))"
                                + ".then(({ snippet }) => snippet('" + language
                                + "', { prompt: \"it's\" }, 'http://h/chat'))")
                        .asText();
                assertThat(text).contains("http://h/chat", "prompt").doesNotContain("Authorization");
            }
        }
    }

    @Test
    void foldsReasoningShowsCallsAndComparesBothWays(Chromium chromium) {
        try (var mock = MockServer.start(MockConfig.defaults());
                var relay = ChatRelay.start(mock.uri());
                var tab = chromium.open(ChatRelay.url(relay) + "/")) {
            tab.eval("document.querySelector('#model').value = 'mock:reasoning=9,tokens=6,ttft_ms=80,tool=1'");
            ask(tab, "Hello");
            tab.await("document.body.dataset.state === 'short'");
            assertThat(tab.text("#note")).startsWith("The model calls a tool.");
            assertThat(tab.text("#first .reasoning p").strip()).startsWith("Let me think");
            assertThat(tab.eval("document.querySelector('#first .reasoning').open")
                            .asBoolean())
                    .isFalse();
            assertThat(tab.text("#first .calls figcaption")).isEqualTo("Calls get_weather");
            assertThat(tab.text("#first .calls code")).isEqualTo("{\n  \"city\": \"Paris\"\n}");
            JsonNode times = tab.eval(
                    "[...document.querySelectorAll('#way-rows td')].slice(0, 2).map((c) => parseFloat(c.textContent)"
                            + " * (c.textContent.endsWith('ms') ? 1 : 1000))");
            assertThat(times.get(0).asDouble()).as("directly").isGreaterThan(79);
            assertThat(times.get(1).asDouble()).as("through the relay").isGreaterThan(79);
            assertThat(tab.eval("violations.join()").asText()).isEmpty();
        }
    }

    @Test
    void asksForAModelBeforeItSendsWhereThereIsNoDefault(Chromium chromium) {
        try (var mock = MockServer.start(MockConfig.defaults());
                var relay = ChatRelay.startWithoutModel(mock.uri());
                var tab = chromium.open(ChatRelay.url(relay) + "/")) {
            assertThat(tab.eval("document.querySelector('#model').placeholder").asText())
                    .isEqualTo("model id");
            ask(tab, "Hello");
            tab.await("document.activeElement.id === 'model'");
            assertThat(tab.text("#note")).startsWith("Name a model first");
            tab.type("m");
            tab.press("Enter");
            tab.await("document.body.dataset.state === 'done'");
            assertThat(mock.requests().stream().filter(asked -> asked.method().equals("POST")))
                    .hasSize(1);
        }
    }

    private static void ask(Tab tab, String prompt) {
        assertThat(tab.eval("document.activeElement.id").asText())
                .as("one can type at once")
                .isEqualTo("prompt");
        tab.type(prompt);
        tab.pressControl("Enter");
    }
}
