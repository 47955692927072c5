package io.millrace.server.relay;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.codec.dialect.Dialect;
import io.millrace.server.config.Limits;
import io.millrace.server.config.Match;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.Route;
import io.millrace.server.config.Upstream;
import io.millrace.server.test.RawClient;
import io.millrace.server.test.RelayHarness;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.zip.Deflater;
import java.util.zip.DeflaterOutputStream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Request bodies that are compressed, or for another reason not the JSON that a route must read. */
@Tag("sockets")
@Tag("h2")
class CodedRequestTest {
    private static final String QUESTION =
            "{\"model\":\"m\",\"max_tokens\":9,\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":\"Hello\"}]}";

    /** Why the body must be read. */
    private enum Need {
        BY_MODEL(config -> config.with(c -> c.routes = List.of(Route.of("m", Match.models("m"), "default")))),
        RENAMED(config -> config.with(c ->
                c.routes = List.of(RelayHarness.withRewriteModel(Route.of("all", Match.ALL, "default"), "other")))),
        TRANSLATED(config -> {
            Upstream upstream = config.upstreams().get("default");
            return config.with(c ->
                    c.upstreams = Map.of("default", upstream.with(u -> u.dialects = List.of(Dialect.MESSAGES))));
        });

        @SuppressWarnings("ImmutableEnumChecker") // a change has no state
        private final UnaryOperator<RelayConfig> change;

        Need(UnaryOperator<RelayConfig> change) {
            this.change = change;
        }
    }

    @ParameterizedTest
    @EnumSource
    void takesTheCodingOffABodyThatMustBeRead(Need need) throws IOException {
        try (var harness = RelayHarness.start(need.change)) {
            for (String coding : List.of("gzip", "x-gzip", "deflate", "GZIP")) {
                RawClient.Response response = ask(harness, coding, coded(coding, QUESTION));
                assertThat(response.status()).as(coding).isEqualTo(200);
                assertThat(response.text()).endsWith("data: [DONE]\n\n");
                var request =
                        harness.mock.requests().get(harness.mock.requests().size() - 1);
                assertThat(request.headers().contains("content-encoding")).isFalse();
                assertThat(new String(request.body(), StandardCharsets.UTF_8))
                        .contains(need == Need.RENAMED ? "\"other\"" : "\"m\"")
                        .contains("Hello");
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void namesACodingThatItCannotTakeOff(Need need) throws IOException {
        try (var harness = RelayHarness.start(need.change)) {
            for (String coding : List.of("zstd", "br", "gzip, gzip")) {
                RawClient.Response response = ask(harness, coding, new byte[] {1, 2, 3});
                assertThat(response.status()).as(coding).isEqualTo(415);
                assertThat(response.text()).contains("Content-Encoding " + coding);
            }
            assertThat(harness.mock.requests()).isEmpty();
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"BY_MODEL", "RENAMED"})
    void namesUtf16(Need need) throws IOException {
        try (var harness = RelayHarness.start(need.change)) {
            RawClient.Response response = ask(harness, "identity", QUESTION.getBytes(StandardCharsets.UTF_16));
            assertThat(response.status()).isEqualTo(415);
            assertThat(response.text()).contains("UTF-8");
            assertThat(harness.mock.requests()).isEmpty();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"gzip", "zstd"})
    void passesOnWhatNeedNotBeRead(String coding) throws IOException {
        try (var harness = RelayHarness.start()) {
            byte[] body = coded("gzip", QUESTION);
            try (var client = harness.client()) {
                send(client, "/echo", coding, body);
                assertThat(client.readAll().status()).isEqualTo(200);
            }
            var request = harness.mock.requests().get(0);
            assertThat(request.headers().get("content-encoding")).isEqualTo(coding);
            assertThat(request.body()).isEqualTo(body);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"gzip", "deflate"})
    void refusesABodyWhoseCompressedDataIsCut(String coding) throws IOException {
        try (var harness = RelayHarness.start(Need.BY_MODEL.change)) {
            byte[] whole = coded(coding, QUESTION);
            for (int missing : new int[] {1, 4, 30}) {
                RawClient.Response response = ask(harness, coding, Arrays.copyOf(whole, whole.length - missing));
                assertThat(response.status()).as("%s missing", missing).isEqualTo(400);
            }
            assertThat(harness.mock.requests()).isEmpty();
        }
    }

    @Test
    void refusesABodyThatIsTooLongInflatedOrGrowsTooMuchOrIsBroken() throws IOException {
        try (var harness = RelayHarness.start(config ->
                Need.BY_MODEL.change.apply(config.with(c -> c.limits = Limits.DEFAULT.with(l -> l.body = 100_000))))) {
            assertThat(ask(harness, "gzip", coded("gzip", " ".repeat(200_000))).status())
                    .isEqualTo(413);
            assertThat(ask(harness, "gzip", "no gzip".getBytes(StandardCharsets.US_ASCII))
                            .status())
                    .isEqualTo(400);
        }
        try (var harness = RelayHarness.start(Need.BY_MODEL.change)) {
            RawClient.Response response = ask(harness, "gzip", coded("gzip", " ".repeat(20_000_000)));
            assertThat(response.status()).isEqualTo(413);
            assertThat(response.text()).contains("grows too much");
            assertThat(harness.mock.requests()).isEmpty();
        }
    }

    @Test
    void neverSendsAModelOnThatItShouldHaveRenamed() throws IOException {
        try (var harness = RelayHarness.start(Need.RENAMED.change)) {
            String part = "--b\r\nContent-Disposition: form-data; name=\"%s\"\r\n\r\nwhisper-1\r\n--b--\r\n";
            for (String type : List.of("multipart/form-data; boundary=b", "Multipart/Form-Data;boundary=b")) {
                assertThat(post(harness, type, String.format(part, "model")).status())
                        .isEqualTo(415);
                assertThat(post(harness, type, String.format(part, "purpose")).status())
                        .isEqualTo(200);
            }
            assertThat(post(harness, "application/json", "{\"model\":\"m\"").status())
                    .isEqualTo(400);
            assertThat(post(harness, "application/octet-stream", "\u0001\u0002").status())
                    .isEqualTo(200);
            assertThat(post(harness, "application/json", "{}").status()).isEqualTo(200);
            assertThat(post(harness, "application/json", "").status()).isEqualTo(200);
            assertThat(harness.mock.requests())
                    .noneMatch(r -> new String(r.body(), StandardCharsets.UTF_8).contains("whisper-1\r\n--b--\r\n")
                            && new String(r.body(), StandardCharsets.UTF_8).contains("name=\"model\""));
        }
    }

    private static RawClient.Response post(RelayHarness harness, String type, String body) throws IOException {
        try (var client = harness.client()) {
            client.send("POST", "/echo", body, "Content-Type: " + type);
            return client.readAll();
        }
    }

    private static RawClient.Response ask(RelayHarness harness, String coding, byte[] body) throws IOException {
        try (var client = harness.client()) {
            send(client, Api.CHAT.path, coding, body);
            return client.readAll();
        }
    }

    private static void send(RawClient client, String path, String coding, byte[] body) throws IOException {
        client.sendRaw("POST " + path + " HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Encoding: "
                + coding + "\r\nContent-Length: " + body.length + "\r\n\r\n");
        client.sendRaw(body);
    }

    private static byte[] coded(String coding, String text) {
        var bytes = new ByteArrayOutputStream();
        try (OutputStream out = coding.toLowerCase(Locale.ROOT).endsWith("gzip")
                ? new GZIPOutputStream(bytes)
                : new DeflaterOutputStream(bytes, new Deflater())) {
            out.write(text.getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes.toByteArray();
    }
}
