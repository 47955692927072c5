package io.millrace.server.cases;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Messages of real servers and clients go through a relay over sockets. Nothing is lost, and nothing is invented. Many
 * cases wait for pauses, so they run in parallel.
 */
@Tag("sockets")
@Tag("h2")
class TranslationCasesTest {
    private static final int AT_ONCE = 8;

    private static final Map<String, Future<List<String>>> RUNS = new LinkedHashMap<>();
    private static ExecutorService pool;

    @BeforeAll
    static void startAll() {
        pool = Executors.newFixedThreadPool(AT_ONCE);
        for (TranslationCase one : TranslationCase.all()) {
            Callable<List<String>> run = () -> CaseRun.faultsOf(one);
            assertThat(RUNS.put(one.id(), pool.submit(run))).as(one.id()).isNull();
        }
    }

    @AfterAll
    static void stop() {
        pool.shutdownNow();
    }

    static List<TranslationCase> cases() {
        return TranslationCase.all();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void losesNothing(TranslationCase one) throws Exception {
        assertThat(RUNS.get(one.id()).get()).isEmpty();
    }
}
