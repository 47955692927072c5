package io.millrace.bench.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.server.mock.MockConfig;
import io.millrace.server.mock.MockServer;
import io.millrace.server.mock.MockSpec;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

/** Each fault that a server has by itself; the mock has it. Examinations wait mostly, so many run at once. */
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
            "status=503", "is refused");

    private record Run(int exitCode, String out, String err) {}

    private final ExecutorService threads = Executors.newCachedThreadPool();

    @AfterEach
    void stopThreads() {
        threads.shutdown();
    }

    @Test
    void saysWhatIsWrong() {
        Map<String, CompletableFuture<Run>> runs = new LinkedHashMap<>();
        WORDS_BY_FAULT.keySet().forEach(fault -> runs.put(fault, examine("chat", fault)));
        runs.forEach((fault, future) -> {
            Run run = future.join();
            assertThat(run.exitCode).as(run.out).isOne();
            assertThat(run.out).contains("WRONG", "fix:", "wrong.").as(fault).contains(WORDS_BY_FAULT.get(fault));
        });
    }

    @Test
    void findsNothingWrongWithTheMockInAnyDialect() {
        var runs = List.of("chat", "responses", "messages", "gemini").stream()
                .map(dialect -> examine(dialect, ""))
                .toList();
        runs.stream().map(CompletableFuture::join).forEach(run -> {
            assertThat(run.out).contains("120 tokens").contains("note").endsWith("Clean.\n");
            assertThat(run.exitCode).isZero();
        });
    }

    @Test
    void saysThatNobodyListens() {
        int port;
        try (var mock = MockServer.start(MockConfig.defaults())) {
            port = mock.port();
        }
        Run run = execute("http://127.0.0.1:" + port + "/v1");
        assertThat(run.exitCode).isOne();
        assertThat(run.out).contains("no connection");
    }

    @Test
    void asksForCorsIfThereIsAnOrigin() {
        try (var mock = MockServer.start(MockConfig.defaults())) {
            Run run = execute(mock.uri() + "/v1", "--idle", "0", "--origin", "https://page.example");
            assertThat(run.exitCode).isOne();
            assertThat(run.out).contains("a page of that origin may not read the answer");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"ftp://host", "http://h --dialect=x", "http://h --idle=-1", "http://h --header=x"})
    void refusesWhatIsNoTarget(String arguments) {
        Run run = execute(arguments.split(" ", -1));
        assertThat(run.exitCode).isEqualTo(2);
        assertThat(run.err).contains("expected: ");
    }

    private CompletableFuture<Run> examine(String dialect, String spec) {
        return CompletableFuture.supplyAsync(
                () -> {
                    try (var mock = MockServer.start(MockConfig.defaults().withSpec(MockSpec.parse(spec)))) {
                        String path = dialect.equals("gemini") ? "/v1beta" : "/v1";
                        return execute(mock.uri() + path, "--dialect", dialect, "--idle", "0");
                    }
                },
                threads);
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
