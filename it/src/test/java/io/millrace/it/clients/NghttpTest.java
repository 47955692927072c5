package io.millrace.it.clients;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.it.clients.CurlTest.Api;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What {@code nghttp}, the client of the nghttp2 library, gets over TLS and HTTP/2. */
final class NghttpTest {
    private static final TestTls TLS = TestTls.make();
    private static final String MODEL = "mock:tokens=20,seed=7";

    private static Bed bed;

    @TempDir
    private Path directory;

    @BeforeAll
    static void start() {
        bed = new Bed(TLS);
    }

    @AfterAll
    static void stop() {
        bed.close();
    }

    @ParameterizedTest
    @EnumSource
    void getsTheBytesThatTheUpstreamSent(Api api) throws IOException, InterruptedException {
        var direct = Curl.post(api.url(bed.mock(), MODEL), api.request(MODEL));
        assertThat(CurlTest.timeless(ask(api))).isEqualTo(CurlTest.timeless(direct.body()));
    }

    /** With windows of 1,023 bytes, for the stream and for the connection. */
    @Test
    void getsThemThroughSmallWindowsToo() throws IOException, InterruptedException {
        var direct = Curl.post(Api.MESSAGES.url(bed.mock(), MODEL), Api.MESSAGES.request(MODEL));
        assertThat(CurlTest.timeless(ask(Api.MESSAGES, "-w", "10", "-W", "10")))
                .isEqualTo(CurlTest.timeless(direct.body()));
    }

    @Test
    void seesWholeStreamsOfOneConnection() throws IOException, InterruptedException {
        String frames = ask(Api.CHAT, "-v", "-n", "-m", "20");
        assertThat(frames).contains("The negotiated protocol: h2").doesNotContain("recv RST_STREAM", "recv GOAWAY");
        assertThat(frames.split(":status: 200", -1)).hasSize(21);
        assertThat(frames.split("recv DATA frame <[^>]*flags=0x01", -1)).hasSize(21);
    }

    private String ask(Api api, String... options) throws IOException, InterruptedException {
        Path body = Files.writeString(directory.resolve("body"), api.request(MODEL));
        Path output = directory.resolve("output");
        var command = new ArrayList<>(List.of("nghttp", "-t", "20", "-H", "content-type: application/json"));
        command.addAll(List.of("-d", body.toString()));
        command.addAll(List.of(options));
        command.add(api.url(bed.relay(), MODEL));
        var nghttp = new ProcessBuilder(command)
                .redirectOutput(output.toFile())
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        try {
            assertThat(nghttp.waitFor(30, TimeUnit.SECONDS)).isTrue();
            assertThat(nghttp.exitValue()).isZero();
        } finally {
            nghttp.destroyForcibly();
        }
        return Files.readString(output, StandardCharsets.UTF_8);
    }
}
