package io.millrace.codec.translate;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.codec.dialect.Dialect;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Translations as files. {@code golden/requests/chat-tools.json} is a client's request, and
 * {@code chat-tools.to-messages.json} is the request for the upstream. {@code golden/streams/chat-tools.sse} is an
 * upstream's stream, and {@code chat-tools.to-messages.sse} is the client's. {@code -Dgolden.write=true} writes them
 * again.
 */
class GoldenTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final boolean WRITE = Boolean.getBoolean("golden.write");

    static Stream<Arguments> requests() throws IOException {
        return cases("requests");
    }

    static Stream<Arguments> streams() throws IOException {
        return cases("streams");
    }

    static Stream<Arguments> answers() throws IOException {
        return cases("answers");
    }

    static Stream<Arguments> errors() throws IOException {
        return cases("errors");
    }

    @ParameterizedTest(name = "{0} to {1}")
    @MethodSource("requests")
    void translatesRequest(Path file, Dialect upstream) throws IOException {
        Dialect client = Recorded.dialectOf(nameOf(file));
        Translation translation = Translation.of(client, upstream);
        ObjectNode seen = JSON.createObjectNode();
        try {
            TranslatedRequest request = translation.request(Files.readAllBytes(file), Requests.path(client), null);
            seen.put("path", request.path()).set("body", JSON.readTree(request.body()));
            request.dropped().forEach(dropped -> seen.withArray("dropped").add(dropped.name()));
        } catch (TranslationException e) {
            seen.set("refusal", JSON.readTree(translation.refusal(e, null)));
        }
        verify(file, upstream, pretty(seen));
    }

    @ParameterizedTest(name = "{0} to {1}")
    @MethodSource("streams")
    void translatesStream(Path file, Dialect client) throws IOException {
        StreamTranslator translator = Recorded.streaming(client, Recorded.dialectOf(nameOf(file))).stream();
        verify(file, client, Recorded.translate(translator, Recorded.frames(Files.readAllBytes(file))));
    }

    @ParameterizedTest(name = "{0} to {1}")
    @MethodSource("answers")
    void translatesAnswer(Path file, Dialect client) throws IOException {
        Translation translation = Recorded.streaming(client, Recorded.dialectOf(nameOf(file)));
        TranslatedAnswer answer = translation.answer(Files.readAllBytes(file), "req_1");
        assertThat(answer.status()).isEqualTo(200);
        verify(file, client, pretty(JSON.readTree(answer.body())));
    }

    @ParameterizedTest(name = "{0} to {1}")
    @MethodSource("errors")
    void translatesError(Path file, Dialect client) throws IOException {
        int status = Integer.parseInt(nameOf(file).replaceAll("\\D", ""));
        Translation translation = Translation.of(client, Recorded.dialectOf(nameOf(file)));
        byte[] error = translation.error(status, Files.readAllBytes(file), "req_1");
        verify(file, client, pretty(JSON.readTree(error)));
    }

    /** Every input, for every dialect but its own. */
    private static Stream<Arguments> cases(String kind) throws IOException {
        List<Path> inputs;
        try (Stream<Path> files = Files.list(directory(kind))) {
            inputs = files.filter(file -> !nameOf(file).contains(".to-"))
                    .sorted()
                    .toList();
        }
        assertThat(inputs).isNotEmpty();
        return inputs.stream()
                .flatMap(file -> Recorded.dialects().stream()
                        .filter(other -> other != Recorded.dialectOf(nameOf(file)))
                        .map(other -> Arguments.of(file, other)));
    }

    private static Path directory(String kind) {
        try {
            return Path.of(GoldenTest.class.getResource("/golden/" + kind).toURI());
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    private static String nameOf(Path file) {
        return file.getFileName().toString();
    }

    private static String pretty(JsonNode json) throws IOException {
        return JSON.writerWithDefaultPrettyPrinter().writeValueAsString(json) + "\n";
    }

    private static void verify(Path input, Dialect to, String text) throws IOException {
        String stable = text.replaceAll("\"created(_at)?\"( ?: ?)\\d{5,}", "\"created$1\"$20")
                .replaceAll("call_[0-9a-f]{24}", "call_made")
                // This is compressed, and not every JDK compresses alike.
                .replaceAll("__mr1_[A-Za-z0-9_-]+", "__mr1_carried");
        String name = input.getFileName().toString();
        int dot = name.lastIndexOf('.');
        String wanted = name.substring(0, dot) + ".to-" + to.name().toLowerCase(Locale.ROOT) + name.substring(dot);
        if (WRITE) {
            Path source = Path.of("src/test/resources/golden")
                    .resolve(input.getParent().getFileName());
            Files.writeString(source.resolve(wanted), stable);
            return;
        }
        assertThat(input.resolveSibling(wanted)).exists();
        assertThat(stable).isEqualTo(Files.readString(input.resolveSibling(wanted), StandardCharsets.UTF_8));
    }
}
