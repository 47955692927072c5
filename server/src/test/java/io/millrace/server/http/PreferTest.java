package io.millrace.server.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.handler.codec.http.DefaultHttpHeaders;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PreferTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "respond-async | true",
                "Respond-Async | true",
                "return=minimal, respond-async;x=1, wait=10 | true",
                "return=minimal,respond-async | true",
                "respond-asynchronously | false",
                "return=respond-async | false",
                "wait=10 | false",
            })
    void readsItsNameAmongOthers(String field, boolean async) {
        assertThat(Prefer.respondAsync(new DefaultHttpHeaders().add("prefer", field)))
                .isEqualTo(async);
        assertThat(Prefer.respondAsync(
                        new DefaultHttpHeaders().add("Prefer", "wait=1").add("Prefer", field)))
                .isEqualTo(async);
    }
}
