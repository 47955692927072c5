package io.millrace.it.clients;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.codec.dialect.Dialect;
import io.millrace.codec.dialect.HeartbeatForm;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * Every client against every form of heartbeat in every position between two frames. Its user must see the same as
 * without heartbeats. {@code docs/heartbeats.md} has the results.
 */
final class HeartbeatMatrixTest {
    private static final Path ROOT = Path.of(System.getProperty("basedir", "."), "..");
    private static final Path DOCUMENT = ROOT.resolve("docs/heartbeats.md");
    private static final Path WRITTEN = ROOT.resolve("it/target/heartbeats.md");
    private static final List<HeartbeatForm> FORMS =
            List.of(HeartbeatForm.COMMENT, HeartbeatForm.COMMENT_SINGLE_LF, HeartbeatForm.PING_EVENT);

    private static final List<Client> CLIENTS = List.of(
            node("openai", "openai.mjs", "chat", "chat.helper", "responses", "responses.helper"),
            new Client("openai-java", true, OpenAiJavaSdk::new, "chat", "chat.helper", "responses", "responses.helper"),
            described("openai-python", DescribedClient.OPENAI_PYTHON, "chat", "responses"),
            described(
                    "openai-python, `id:` in the frames", DescribedClient.OPENAI_PYTHON_AFTER_ID, "chat", "responses"),
            described("openai-go, older", DescribedClient.OLDER_GO, "chat", "responses"),
            described("by hand, cut at blank lines", DescribedClient.BY_HAND, "chat", "responses", "messages"),
            node("@anthropic-ai/sdk", "anthropic.mjs", "messages", "messages.helper"),
            new Client("anthropic-java", true, AnthropicJavaSdk::new, "messages", "messages.helper"),
            described("anthropic-python", DescribedClient.ANTHROPIC_PYTHON, "messages"),
            node("@google/genai", "genai.mjs", "gemini"),
            described("google-genai, Python", DescribedClient.GENAI_PYTHON, "gemini"),
            node("ai", "vercel.mjs", "chat", "responses", "messages", "gemini"));

    private static final Map<Row, Map<String, Seen>> SEEN = new LinkedHashMap<>();

    /** One way of one client to stream. */
    private record Row(Client client, String api) {}

    @BeforeAll
    static void runAll() throws IOException {
        try (var server = new HeartbeatServer()) {
            for (var client : CLIENTS) {
                var scenarios = new ArrayList<Scenario>();
                for (var api : client.apis()) {
                    scenarios.add(scenario(server, api, HeartbeatServer.NONE));
                    for (var form : FORMS) {
                        for (var position : HeartbeatServer.Position.values()) {
                            scenarios.add(scenario(server, api, HeartbeatServer.model(form, position)));
                        }
                    }
                }
                var seen = client.sdk().get().run(scenarios);
                for (var api : client.apis()) {
                    SEEN.put(new Row(client, api), seen);
                }
            }
        }
    }

    @AfterAll
    static void forget() {
        SEEN.clear();
    }

    @Test
    void everyClientReadsAStreamWithoutHeartbeats() {
        SEEN.forEach((row, seen) -> {
            var plain = seen.get(name(row.api(), HeartbeatServer.NONE));
            assertThat(plain.error()).as("%s", row).isNull();
            assertThat(plain.text()).as("%s", row).isNotBlank();
        });
    }

    /**
     * The promise of the default: every SDK of a dialect accepts the form of heartbeat that the relay chooses by
     * itself.
     */
    @Test
    void noInstalledSdkNoticesTheDefaultFormOfItsDialect() {
        SEEN.forEach((row, seen) -> {
            var form = dialect(row.api()).heartbeat();
            if (row.client().real() && form != HeartbeatForm.NONE) {
                for (var position : HeartbeatServer.Position.values()) {
                    assertThat(verdict(row, form, position, seen))
                            .as("%s %s %s", row, form, position)
                            .isEqualTo("ok");
                }
            }
        });
    }

    @Test
    void theDocumentSaysWhatTheClientsDo() throws IOException {
        String document = document();
        Files.createDirectories(WRITTEN.getParent());
        Files.writeString(WRITTEN, document);
        assertThat(DOCUMENT).as("if the clients have changed, copy " + WRITTEN).hasContent(document);
    }

    private static Scenario scenario(HeartbeatServer server, String api, String model) {
        return new Scenario(name(api, model), api, server.url(), model, false);
    }

    private static String name(String api, String model) {
        return api + " " + model;
    }

    static Dialect dialect(String api) {
        return Dialect.named(api.split("\\.", 2)[0]);
    }

    private static String verdict(
            Row row, HeartbeatForm form, HeartbeatServer.Position position, Map<String, Seen> seen) {
        var plain = seen.get(name(row.api(), HeartbeatServer.NONE)).timeless();
        var beaten = seen.get(name(row.api(), HeartbeatServer.model(form, position)));
        if (beaten.error() != null) {
            return "**error**";
        }
        return beaten.timeless().equals(plain) ? "ok" : "**loss**";
    }

    private static String document() throws IOException {
        var text = new StringBuilder("""
                # Heartbeats and the clients that read them

                `HeartbeatMatrixTest` writes this page, and fails if the page is different. Each client reads the same answer \
                without heartbeats, and with two heartbeats in each position. **ok**: its user sees no difference. **loss**: a part \
                of the answer is missing, without an error. **error**: the client reports an error.

                """);
        text.append("Installed SDKs: ").append(versions()).append("""
                . In *italics*: decoders that were written from the description of a client that is not installed here, or in the \
                way in which people write them by hand.

                By default the relay writes `: ping` and a blank line in Chat Completions and Responses. In Messages it writes \
                `event: ping` after the message has begun, and a comment before. In Gemini it writes nothing. Before the first frame \
                it writes heartbeats only if a route asks for them (`heartbeat.early`).
                """);
        for (var form : FORMS) {
            text.append("\n## ").append(title(form)).append("\n\n");
            text.append("| client | API |");
            for (var position : HeartbeatServer.Position.values()) {
                text.append(' ').append(position.title).append(" |");
            }
            text.append("\n| --- | --- |")
                    .append(" --- |".repeat(HeartbeatServer.Position.values().length))
                    .append('\n');
            SEEN.forEach((row, seen) -> {
                String mark = row.client().real() ? "" : "*";
                text.append("| ").append(mark).append(row.client().name()).append(mark);
                text.append(" | ")
                        .append(row.api().replace(".helper", ", helper"))
                        .append(" |");
                for (var position : HeartbeatServer.Position.values()) {
                    text.append(' ').append(verdict(row, form, position, seen)).append(" |");
                }
                text.append('\n');
            });
        }
        return text.append("""

                ## What to choose

                - The blank line behind a comment is an empty event. Two clients fail on it: older Go clients, whose decoder does \
                not skip empty events, and the OpenAI Python client after a frame with an `id:`. Set `heartbeat.form` to \
                `comment-single-lf` for them.
                - Without the blank line, the comment is at the head of the next frame. Clients that cut at blank lines and look at \
                the beginning of each piece lose that frame. Google's SDK loses it too. So the blank line is the default.
                - A ping event is for Messages only. In other dialects it is an unknown event.
                - Google's Python client reads every line that is not `data: ` as JSON. So Gemini gets no heartbeats.
                """).toString();
    }

    private static String title(HeartbeatForm form) {
        return switch (form) {
            case COMMENT -> "`: ping` and a blank line (`comment`)";
            case COMMENT_SINGLE_LF -> "`: ping` and one line feed (`comment-single-lf`)";
            default -> "`event: ping` with its data (`ping-event`)";
        };
    }

    private static String versions() throws IOException {
        String node = Files.readString(ROOT.resolve("it/clients-node/package.json"), StandardCharsets.UTF_8);
        String java = Files.readString(ROOT.resolve("it/pom.xml"), StandardCharsets.UTF_8);
        return CLIENTS.stream()
                .filter(Client::real)
                .map(client -> client.name() + " "
                        + first(
                                client.name().endsWith("-java")
                                        ? "<" + client.name() + "\\.version>([^<]+)<"
                                        : "\"" + client.name() + "\": \"([^\"]+)\"",
                                client.name().endsWith("-java") ? java : node))
                .collect(Collectors.joining(", "));
    }

    private static String first(String regex, String text) {
        var matcher = Pattern.compile(regex).matcher(text);
        assertThat(matcher.find()).as(regex).isTrue();
        return matcher.group(1);
    }

    private static Client node(String name, String driver, String... apis) {
        return new Client(name, true, () -> new NodeSdk(driver), apis);
    }

    private static Client described(String name, DescribedClient client, String... apis) {
        return new Client(name, false, () -> client, apis);
    }

    /**
     * A client with its name and its ways to stream. {@code real} is true for a real client, not a description of one.
     */
    private record Client(String name, boolean real, Supplier<Sdk> sdk, List<String> apis) {
        Client(String name, boolean real, Supplier<Sdk> sdk, String... apis) {
            this(name, real, sdk, List.of(apis));
        }
    }
}
