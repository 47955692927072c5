package io.millrace.server.docs;

import static java.util.Map.entry;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * Tests with the relay and its clients have the tag {@code h2}, so that they run over HTTP/2, too. A class without it
 * stands here with the reason, or has the tag {@code h1}.
 */
class Http2TagTest {
    private static final Path TESTS = Path.of("src", "test", "java", "io", "millrace", "server");
    private static final Pattern CLIENTS =
            Pattern.compile("\\b(RelayHarness\\.start|ResumeBed|TranslationBed|CaseRun|new RawClient)\\b");
    /** The tag of a class: one method with a tag does not stand for the others. */
    private static final Pattern TAGGED = Pattern.compile("^@Tag\\(\"h[12]\"\\)", Pattern.MULTILINE);

    private static final String OWN_CLIENT = "has an HTTP/2 client of its own";
    private static final String UPSTREAMS = "about upstreams";
    private static final String LISTENERS = "about listeners and their protocols";
    private static final String PROCESSES = "the relay is another process";
    private static final String HTTP1 = "bytes of HTTP/1.1";
    private static final String MOCK = "about the mock, which speaks HTTP/1.1";
    private static final String REDIS =
            "slow, and about several nodes: ResumeTest and ClientLimitsTest have one over HTTP/2";

    private static final Map<String, String> WITHOUT = Map.ofEntries(
            entry("Http2Test", OWN_CLIENT),
            entry("Http2ReliefTest", OWN_CLIENT),
            entry("WastedRequestsTest", OWN_CLIENT),
            entry("BalancingTest", UPSTREAMS),
            entry("AttemptEdgesTest", UPSTREAMS),
            entry("CanaryTest", UPSTREAMS),
            entry("ConnectorTest", UPSTREAMS),
            entry("ResponseTableTest", UPSTREAMS),
            entry("UpstreamTlsTest", UPSTREAMS),
            entry("ListenTest", LISTENERS),
            entry("ListenerTlsTest", LISTENERS),
            entry("ListenersTest", LISTENERS),
            entry("PassedSocketTest", LISTENERS),
            entry("TakeOverTest", LISTENERS),
            entry("UnixSocketsTest", LISTENERS),
            entry("LauncherProcessTest", PROCESSES),
            entry("MemoryDrillTest", PROCESSES),
            entry("NodeDeathProcessTest", PROCESSES),
            entry("TakeOverProcessTest", PROCESSES),
            entry("TlsProcessTest", PROCESSES),
            entry("AcceptedRequestsTest", HTTP1),
            entry("OrderTest", HTTP1),
            entry("PathCheckTest", HTTP1),
            entry("RequestTableTest", HTTP1),
            entry("MockFramesTest", MOCK),
            entry("MockServerTest", MOCK),
            entry("ToolLoopTest", MOCK),
            entry("RedisLimitsTest", REDIS),
            entry("SharedAccessTest", REDIS),
            entry("SharedCanaryTest", REDIS),
            entry("SharedStreamsTest", REDIS),
            entry("OtlpTest", "about what the collector gets"),
            entry("StormTest", "slow: Http2Test has clients that leave"),
            entry("DroppedTest", "slow, and about what a translation drops"),
            entry("LiveTest", "one of its tests has the tag: the others are about who may ask"),
            entry("MillraceTest", "about the command line"),
            entry("FastStreamsTest", "slow: Http2Test serves many at once"),
            entry("OutageDrillTest", "slow: RetryTest and FallbackTest run over HTTP/2"),
            entry("PromptnessTest", "measures time, which PromptFlushTest does not need"));

    @Test
    void testsOfTheRelayRunOverHttp2UnlessAReasonIsGiven() throws IOException {
        var without = new TreeSet<String>();
        try (Stream<Path> files = Files.walk(TESTS)) {
            for (Path file :
                    files.filter(path -> path.toString().endsWith("Test.java")).toList()) {
                String text = Files.readString(file);
                String name = file.getFileName().toString().replace(".java", "");
                if (!name.equals("Http2TagTest")
                        && CLIENTS.matcher(text).find()
                        && !TAGGED.matcher(text).find()) {
                    without.add(name);
                }
            }
        }
        assertThat(without).containsExactlyInAnyOrderElementsOf(WITHOUT.keySet());
    }
}
