package io.millrace.bench.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.server.mock.MockConfig;
import io.millrace.server.mock.MockServer;
import io.millrace.server.mock.MockSpec;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.Writer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

/** Each fault of a server. The mock has it. Examinations mostly wait, so many run at once. */
@Tag("sockets")
class DoctorCommandTest {
    private static final Map<String, String> WORDS_BY_FAULT = Map.of(
            "gzip=1", "compressed",
            "version=1.0", "answer is HTTP/1.0",
            "length=1", "Content-Length",
            "content_type=text/event-stream; charset=iso-8859-1", "charset is not UTF-8",
            "content_type=text/plain", "no event stream",
            "end_after=50", "cut before its end",
            "reset_after=50", "cut before its end",
            "done=0,eof_after=60", "cut before its end",
            "error_after=50", "reports an error",
            "status=503", "server behind it is down");

    private record Run(int exitCode, String out, String err) {}

    private static final List<String> DIALECTS = List.of("chat", "responses", "messages", "gemini");
    private static final ExecutorService THREADS = Executors.newCachedThreadPool();
    private static final Map<String, CompletableFuture<Run>> RUNS = new HashMap<>();

    @BeforeAll
    static void startAll() {
        WORDS_BY_FAULT.keySet().forEach(fault -> RUNS.put(fault, examine("chat", fault)));
        DIALECTS.forEach(dialect -> RUNS.put(dialect, examine(dialect, "")));
        RUNS.put("cors", examine("chat", "", "--origin", "https://page.example"));
    }

    @AfterAll
    static void stopThreads() {
        THREADS.shutdown();
    }

    @Test
    void saysWhatIsWrong() {
        WORDS_BY_FAULT.forEach((fault, words) -> {
            Run run = RUNS.get(fault).join();
            assertThat(run.exitCode).as(run.out).isOne();
            assertThat(run.out).as(fault).contains("WRONG", "fix:", "wrong.", words);
        });
    }

    @Test
    void findsNothingWrongWithTheMockInAnyDialect() {
        DIALECTS.stream().map(RUNS::get).map(CompletableFuture::join).forEach(run -> {
            assertThat(run.out)
                    .contains("120 tokens", "NOTE", "answered by:  a Millrace mock")
                    .endsWith("Clean.\n");
            assertThat(run.exitCode).isZero();
        });
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"/v1/chat/completions", "/v1/responses", "/v1/messages", "/v1beta/models/m:streamGenerateContent"
            })
    void takesTheUrlOfAnOperationAndItsDialect(String path) {
        try (var mock = MockServer.start(MockConfig.defaults())) {
            Run run = execute(mock.uri() + path, "--idle", "0");
            assertThat(run.out).contains("120 tokens").endsWith("Clean.\n");
            assertThat(mock.requests()).allMatch(request -> request.uri().startsWith(path.substring(0, 8)));
        }
    }

    @Test
    void saysThatNobodyListens() {
        int port;
        try (var mock = MockServer.start(MockConfig.defaults())) {
            port = mock.port();
        }
        Run run = execute("http://127.0.0.1:" + port + "/v1");
        assertThat(run.exitCode).isOne();
        assertThat(run.out)
                .contains("no connection", "seen: the connection was refused")
                .doesNotContain("answered by");
    }

    @Test
    void saysThatANameDoesNotResolve() {
        Run run = execute("http://no-such-host.invalid:8000/v1");
        assertThat(run.exitCode).isOne();
        assertThat(run.out)
                .contains("WRONG  the host's name does not resolve")
                .contains("seen: the name no-such-host.invalid does not resolve\n")
                .endsWith("1 thing is wrong.\n");
    }

    /** Whoever waits for a silence of 70 s reads at once what was found before it. */
    @Test
    void printsEachFindingAsItIsMade() {
        var seen = new Seen();
        try (var mock = MockServer.start(MockConfig.defaults()
                .withSpec(MockSpec.parse("gzip=1,content_type=text/event-stream; charset=latin1")))) {
            int exitCode = new CommandLine(new DoctorCommand())
                    .setOut(new PrintWriter(seen))
                    .setErr(new PrintWriter(seen))
                    .execute(mock.uri() + "/v1", "--idle", "1", "--origin", "https://page.example");
            assertThat(exitCode).as(seen.text()).isOne();
        }
        assertThat(seen.text())
                .containsSubsequence(
                        "… waiting for a stream of 120 tokens",
                        "the stream:   120 tokens",
                        "WRONG  ", // the charset
                        "charset=latin1",
                        "WRONG  ", // the coding
                        "Content-Encoding: gzip",
                        "… trying a silence of up to 1 s",
                        "WRONG  ",
                        "a preflight from https://page.example",
                        "3 things are wrong.\n");
    }

    /** What a reader sees: only what was flushed. */
    private static final class Seen extends Writer {
        private final StringBuilder written = new StringBuilder();
        private final StringBuilder flushed = new StringBuilder();

        @Override
        public void write(char[] text, int from, int length) {
            written.append(text, from, length);
        }

        @Override
        public void flush() {
            flushed.append(written);
            written.setLength(0);
        }

        @Override
        public void close() {}

        String text() {
            return flushed.toString();
        }
    }

    @Test
    void asksForCorsIfThereIsAnOrigin() {
        Run run = RUNS.get("cors").join();
        assertThat(run.exitCode).isOne();
        assertThat(run.out).contains("a page of that origin may not read the answer");
    }

    @ParameterizedTest
    @ValueSource(strings = {"ftp://host", "http://h --dialect=x", "http://h --idle=-1", "http://h --header=x"})
    void refusesWhatIsNoTarget(String arguments) {
        Run run = execute(arguments.split(" ", -1));
        assertThat(run.exitCode).isEqualTo(2);
        assertThat(run.err).contains("expected: ");
    }

    private static CompletableFuture<Run> examine(String dialect, String spec, String... more) {
        return CompletableFuture.supplyAsync(
                () -> {
                    try (var mock = MockServer.start(MockConfig.defaults().withSpec(MockSpec.parse(spec)))) {
                        String path = dialect.equals("gemini") ? "/v1beta" : "/v1";
                        List<String> arguments = new ArrayList<>(List.of(more));
                        arguments.addAll(List.of(mock.uri() + path, "--dialect", dialect, "--idle", "0"));
                        return execute(arguments.toArray(String[]::new));
                    }
                },
                THREADS);
    }

    private static Run execute(String... arguments) {
        var out = new StringWriter();
        var err = new StringWriter();
        int exitCode = new CommandLine(new DoctorCommand())
                .setOut(new PrintWriter(out))
                .setErr(new PrintWriter(err))
                .execute(arguments);
        return new Run(exitCode, out.toString(), err.toString());
    }
}
