package io.millrace.it.clients;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What every SDK must see through the relay. Each scenario runs once through the relay and once against the mock LLM
 * itself. The content must be the same both times. A stream that the upstream breaks off must not look like an answer.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class ClientContract {
    private static final int GAP_MS = 50;
    private static final List<String> RETRIED =
            List.of("status=429", "status=529", "error_after=0", "reset_after=0", "empty=1");
    private static final int[] STATUSES = {400, 401, 403, 404, 429, 500, 503, 529};

    private final List<Case> cases = new ArrayList<>();
    private final List<Scenario> scenarios = new ArrayList<>();
    private final Bed bed = newBed();
    private Map<String, Seen> seen;

    /** The client under test. */
    abstract Sdk sdk();

    /** The relays and the mock. */
    Bed newBed() {
        return new Bed();
    }

    /** Its ways to stream, with the names of {@link Scenario#api()}. */
    abstract List<String> apis();

    /** The class of the SDK's error for a JSON error with that status. */
    abstract String classOfStatus(int status);

    /** The class of the SDK's error for the relay's error frame. */
    abstract String classOfBrokenStream();

    /** The SDK's name for the end of a stream that was stopped. */
    String finishOfStopped(String api) {
        return switch (api.split("\\.", -1)[0]) {
            case "chat" -> "stop";
            case "responses" -> "incomplete";
            case "messages" -> "end_turn";
            default -> "OTHER";
        };
    }

    private record Case(String name, Consumer<Map<String, Seen>> check) {
        @Override
        public String toString() {
            return name;
        }
    }

    @BeforeAll
    void runAllScenarios() {
        for (var api : apis()) {
            addAnswers(api);
            addEnds(api);
            addCuts(api);
            addRetried(api);
            addErrors(api);
            addStop(api);
            if (!api.endsWith(".helper")) {
                addTranslated(api);
            }
        }
        seen = sdk().run(scenarios);
    }

    @AfterAll
    void close() {
        bed.close();
    }

    Stream<Case> cases() {
        return cases.stream();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void showsItsUserTheTruth(Case one) {
        try {
            one.check.accept(seen);
        } catch (AssertionError e) {
            // Maven's report numbers the cases and does not name them.
            throw new AssertionError(one.name + ": " + e.getMessage(), e);
        }
    }

    private void addAnswers(String api) {
        var text = "mock:tokens=" + Cut.OUTPUTS;
        sameAsDirect(api, "text", text, false, direct -> {
            assertThat(direct.error()).isNull();
            assertThat(direct.text()).isNotBlank();
            assertThat(direct.finish()).isNotBlank();
            assertThat(direct.usage()).isNotNull();
            assertThat(direct.usage().input()).isPositive();
            assertThat(direct.usage().output()).isPositive();
        });
        sameAsDirect(api, "tool call", "mock:tool=1", true, direct -> {
            assertThat(direct.error()).isNull();
            assertThat(direct.toolCalls()).singleElement().satisfies(call -> {
                assertThat(call.name()).isNotBlank();
                assertThat(call.arguments()).startsWith("{").endsWith("}");
            });
        });
        var paced = ask(api, "tokens one by one", bed.relay(), "mock:tokens=30,gap_ms=" + GAP_MS, false);
        check(paced.name(), all -> {
            var one = all.get(paced.name());
            assertThat(one.error()).isNull();
            assertThat(one.deltas()).isGreaterThan(5);
            assertThat(one.spreadMs()).isGreaterThan(4 * GAP_MS);
        });
    }

    /**
     * Chat may end without its terminal; the other dialects may not. After the terminal, Node's SDKs read until the
     * body ends.
     */
    private void addEnds(String api) {
        if (api.startsWith("chat")) {
            sameAsDirect(
                    api,
                    "server that never sends [DONE]",
                    "mock:tokens=6,done=0",
                    false,
                    direct -> assertThat(direct.error()).isNull());
        } else {
            var unended = askBroken(api, "clean end with all but the terminal", "mock:tokens=6,done=0", false);
            check(unended.name(), all -> assertBroken(all.get(unended.name()), Cut.OUTPUTS));
        }
        var whole = ask(api, "upstream that closes after its terminal", bed.mock(), "mock:tokens=6", false);
        var lingering =
                ask(api, "upstream that stays open after its terminal", bed.relay(), "mock:tokens=6,linger=1", false);
        check(
                lingering.name(),
                all -> assertThat(all.get(lingering.name()).timeless())
                        .isEqualTo(all.get(whole.name()).timeless()));
    }

    private void addCuts(String api) {
        var whole = ask(api, "whole answer", bed.mock(), "mock:tokens=" + Cut.OUTPUTS, false);
        for (var cut : Cut.all()) {
            var model = "mock:tokens=" + Cut.OUTPUTS + "," + cut.fault();
            var broken = askBroken(api, cut.name(), model, false);
            check(broken.name(), all -> {
                var one = all.get(broken.name());
                assertBroken(one, cut.outputs());
                assertThat(all.get(whole.name()).text()).startsWith(one.text());
                assertThat(one.text().isEmpty()).isEqualTo(cut.outputs() <= 0);
            });
        }
        // Gemini sends a whole call in its first frame.
        for (var cut : api.equals("gemini") ? Cut.after(1) : Cut.after(1, 3)) {
            var tool = askBroken(api, "tool call, " + cut.name(), "mock:tool=1," + cut.fault(), true);
            check(tool.name(), all -> assertBrokenStream(all.get(tool.name())));
        }
        var hidden = askBroken(api, "error that no SDK sees", "mock:tokens=6,hidden_error_after=3", false);
        check(hidden.name(), all -> assertThat(all.get(hidden.name()).error()).isNotNull());
    }

    /** Before the first output no answer is broken yet: the relay answers with an error status. */
    private void assertBroken(Seen one, int outputs) {
        if (outputs < 1) {
            assertThat(one.error())
                    .as("a broken stream looks like an answer: %s", one)
                    .isNotNull();
            assertThat(one.error().classes()).contains(classOfStatus(502));
            assertThat(one.error().status()).isEqualTo(502);
        } else {
            assertBrokenStream(one);
            assertThat(one.error().message()).contains("after " + outputs + " output frames");
        }
    }

    private void assertBrokenStream(Seen one) {
        assertThat(one.error())
                .as("a broken stream looks like an answer: %s", one)
                .isNotNull();
        assertThat(one.error().classes()).contains(classOfBrokenStream());
        assertThat(one.error().message()).contains("output frame");
    }

    /** A failure before the first output is retried, and no SDK notices it. */
    private void addRetried(String api) {
        var whole = ask(api, "answer at the first attempt", bed.mock(), "mock:tokens=" + Cut.OUTPUTS, false);
        for (var fault : RETRIED) {
            var group = api + "-" + fault.replace('=', '-');
            var model = "mock:tokens=" + Cut.OUTPUTS + ",fail_first=2,group=" + group + "," + fault;
            var retried = ask(api, "answer at the third attempt, " + fault, bed.relay(), model, false);
            check(
                    retried.name(),
                    all -> assertThat(all.get(retried.name()).timeless())
                            .isEqualTo(all.get(whole.name()).timeless()));
        }
    }

    private void addErrors(String api) {
        for (var status : STATUSES) {
            sameAsDirect(api, "status " + status, "mock:status=" + status, false, direct -> {
                assertThat(direct.error().classes()).contains(classOfStatus(status));
                assertThat(direct.error().status()).isEqualTo(status);
            });
        }
        sameAsDirect(
                api,
                "error as the first frame",
                "mock:error_first=1",
                false,
                direct -> assertThat(direct.error()).isNotNull());
        sameAsDirect(
                api,
                "error after 3 output frames",
                "mock:tokens=6,error_after=3",
                false,
                direct -> assertThat(direct.error()).isNotNull());
        madeByRelay(api, "path with an encoded NUL", bed.relay() + "/%00", "mock", 400);
        madeByRelay(api, "model without a route", bed.routing(), Bed.UNROUTED, 404);
        madeByRelay(api, "upstream that nobody listens on", bed.routing(), Bed.UNREACHABLE, 502);
    }

    private void addStop(String api) {
        var whole = ask(api, "answer that is not stopped", bed.mock(), "mock:tokens=6", false);
        var stopped = ask(api, "stopped after 3 tokens", bed.stopping(), "mock:tokens=6,stall_after=3", false);
        check(stopped.name(), all -> {
            var one = all.get(stopped.name());
            assertThat(one.error()).isNull();
            assertThat(one.deltas()).isEqualTo(3);
            assertThat(all.get(whole.name()).text()).startsWith(one.text());
            assertThat(one.finish()).isEqualTo(finishOfStopped(api));
        });
    }

    /** The upstream's dialect makes no difference: the answer, the call and the kind of error are the same. */
    private void addTranslated(String api) {
        var text = "mock:tokens=" + Cut.OUTPUTS;
        var directText = ask(api, "text without a relay", bed.mock(), text, false);
        var directTrip = ask(api + ".tools", "round trip without a relay", bed.mock(), "mock:tool=1", true);
        for (var dialect : Bed.DIALECTS) {
            String url = bed.translatingTo(dialect);
            sameAnswer(ask(api, "text from " + dialect, url, text, false), directText);
            sameAnswer(
                    ask(api + ".tools", "round trip with a tool at " + dialect, url, "mock:tool=1", true), directTrip);
            var refused = ask(api, "status 404 from " + dialect, url, "mock:status=404", false);
            check(refused.name(), all -> {
                var one = all.get(refused.name());
                assertThat(one.error()).isNotNull();
                assertThat(one.error().classes()).contains(classOfStatus(404));
                assertThat(one.error().status()).isEqualTo(404);
                assertThat(one.error().message()).contains("asked to fail");
            });
            var cut = ask(api, "cut at " + dialect, url, text + ",end_after=3", false);
            check(cut.name(), all -> assertBroken(all.get(cut.name()), 3));
            var failed = ask(api, "error from " + dialect, url, text + ",error_after=3", false);
            check(
                    failed.name(),
                    all -> assertThat(all.get(failed.name()).error()).isNotNull());
        }
    }

    /** Each dialect counts tokens in its own way. */
    private void sameAnswer(Scenario translated, Scenario direct) {
        check(translated.name(), all -> {
            var one = all.get(translated.name());
            var other = all.get(direct.name());
            assertThat(one.error()).isNull();
            assertThat(one.text()).isNotBlank().isEqualTo(other.text());
            assertThat(one.finish()).isNotBlank().isEqualTo(other.finish());
            assertThat(one.toolCalls()).isEqualTo(other.toolCalls()).hasSize(translated.tools() ? 1 : 0);
            assertThat(one.usage().input()).isPositive();
            assertThat(one.usage().output()).isPositive();
        });
    }

    private void madeByRelay(String api, String name, String baseUrl, String model, int status) {
        var scenario = ask(api, name, baseUrl, model, false);
        check(scenario.name(), all -> {
            var one = all.get(scenario.name());
            assertThat(one.error()).isNotNull();
            assertThat(one.error().classes()).contains(classOfStatus(status));
            assertThat(one.error().status()).isEqualTo(status);
        });
    }

    private void sameAsDirect(String api, String name, String model, boolean tools, Consumer<Seen> check) {
        var direct = ask(api, name + ", without the relay", bed.mock(), model, tools);
        var relayed = ask(api, name, bed.relay(), model, tools);
        check(relayed.name(), all -> {
            check.accept(all.get(direct.name()));
            assertThat(all.get(relayed.name()).timeless())
                    .isEqualTo(all.get(direct.name()).timeless());
        });
    }

    private Scenario ask(String api, String name, String baseUrl, String model, boolean tools) {
        return add(new Scenario(api + ": " + name, api, baseUrl, model, tools));
    }

    private Scenario askBroken(String api, String name, String fault, boolean tools) {
        return add(new Scenario(api + ": " + name, api, bed.relay(), fault, tools));
    }

    private Scenario add(Scenario scenario) {
        scenarios.add(scenario);
        return scenario;
    }

    private void check(String name, Consumer<Map<String, Seen>> check) {
        cases.add(new Case(name, check));
    }
}
