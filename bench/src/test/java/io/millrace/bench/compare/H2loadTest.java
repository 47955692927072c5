package io.millrace.bench.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import org.junit.jupiter.api.Test;

class H2loadTest {
    private static final String OUTPUT = """
            finished in 9.31s, 214.8 req/s, 2.1MB/s
            requests: 2000 total, 1990 started, 1980 done, 1970 succeeded, 10 failed, 10 errored, 0 timeout
            status codes: 1970 2xx, 0 3xx, 0 4xx, 10 5xx
            """;

    @Test
    void countsStreamsThatDidNotSucceed() throws Exception {
        assertThat(H2load.lost(OUTPUT, false)).isEqualTo(30);
    }

    @Test
    void doesNotCountThoseInProgressWhenTimeIsOver() throws Exception {
        assertThat(H2load.lost(OUTPUT, true)).isEqualTo(10);
    }

    @Test
    void refusesOutputWithoutCounts() {
        assertThatThrownBy(() -> H2load.lost("connect error", false))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("connect error");
    }
}
