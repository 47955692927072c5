package io.millrace.it.clients;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.it.clients.CurlTest.Api;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Over TLS, with either version of HTTP, {@code curl -N} prints the same as without TLS. */
final class CurlHttp2Test {
    private static final TestTls TLS = TestTls.make();
    private static final int TOKENS = 10;
    private static final int GAP_MS = 50;

    private static Bed bed;

    private enum Version {
        HTTP_1_1("--http1.1", "HTTP/1.1 "),
        HTTP_2("--http2", "HTTP/2 ");

        private final String option;
        private final String statusLine;

        Version(String option, String statusLine) {
            this.option = option;
            this.statusLine = statusLine;
        }
    }

    @BeforeAll
    static void start() {
        bed = new Bed(TLS);
    }

    @AfterAll
    static void stop() {
        bed.close();
    }

    static Stream<Arguments> ways() {
        return Stream.of(Version.values())
                .flatMap(version -> Stream.of(Api.values()).map(api -> Arguments.of(version, api)));
    }

    @ParameterizedTest
    @MethodSource("ways")
    void getsFramesOneByOne(Version version, Api api) throws IOException, InterruptedException {
        var curl = ask(version, api, bed.relay(), "mock:tokens=" + TOKENS + ",gap_ms=" + GAP_MS);
        assertThat(curl.exit()).isZero();
        assertThat(curl.statusLine()).startsWith(version.statusLine + "200");
        var arrivals = curl.frames().stream().map(Curl.Frame::atNanos).toList();
        long longPauses = 0;
        for (int i = 1; i < arrivals.size(); i++) {
            if (arrivals.get(i) - arrivals.get(i - 1) >= TimeUnit.MILLISECONDS.toNanos(GAP_MS / 2)) {
                longPauses++;
            }
        }
        assertThat(longPauses).isGreaterThanOrEqualTo(TOKENS / 2);
    }

    @ParameterizedTest
    @MethodSource("ways")
    void getsTheBytesThatTheUpstreamSent(Version version, Api api) throws IOException, InterruptedException {
        var model = "mock:tokens=20,seed=7";
        var direct = Curl.post(api.url(bed.mock(), model), api.request(model));
        var relayed = ask(version, api, bed.relay(), model);
        assertThat(relayed.exit()).isZero();
        assertThat(relayed.frames()).hasSizeGreaterThan(10);
        assertThat(CurlTest.timeless(relayed.body())).isEqualTo(CurlTest.timeless(direct.body()));
    }

    @ParameterizedTest
    @MethodSource("ways")
    void getsAnErrorFrameAndACleanEndWhenTheUpstreamBreaksOff(Version version, Api api)
            throws IOException, InterruptedException {
        for (var cut : Cut.after(3)) {
            var curl = ask(version, api, bed.relay(), "mock:tokens=" + Cut.OUTPUTS + "," + cut.fault());
            assertThat(curl.exit()).as(cut.name()).isZero();
            CurlTest.assertErrorFrameLast(api, cut, curl);
        }
    }

    @ParameterizedTest
    @MethodSource("ways")
    void getsErrorsInItsDialect(Version version, Api api) throws IOException, InterruptedException {
        CurlTest.assertJsonError(ask(version, api, bed.routing(), Bed.UNROUTED), api, version.statusLine + "404");
        CurlTest.assertJsonError(ask(version, api, bed.routing(), Bed.UNREACHABLE), api, version.statusLine + "502");
    }

    /** Thirty streams of one run of curl share few connections. */
    @Test
    void getsThirtyStreamsAtOnce() throws IOException, InterruptedException {
        var arguments = new ArrayList<>(List.of("-Z"));
        for (int i = 0; i < 30; i++) {
            arguments.addAll(List.of(
                    "--http2",
                    "--cacert",
                    TLS.ca().toString(),
                    Api.CHAT.url(bed.relay(), ""),
                    "-H",
                    "Content-Type: application/json",
                    "-d",
                    Api.CHAT.request("mock:tokens=20,gap_ms=20"),
                    "--next"));
        }
        arguments.remove(arguments.size() - 1);
        var curl = Curl.run(arguments.toArray(String[]::new));
        assertThat(curl.exit()).isZero();
        assertThat(curl.body().split("data: \\[DONE]", -1)).hasSize(31);
    }

    private static Curl ask(Version version, Api api, String base, String model)
            throws IOException, InterruptedException {
        return Curl.post(
                api.url(base, model),
                api.request(model),
                version.option,
                "--cacert",
                TLS.ca().toString());
    }
}
