package io.millrace.server.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class WeightedTest {
    @Test
    void ordersTheMembersOfAllFieldsByWeight() {
        assertThat(Weighted.ofAll(List.of("a;q=0.2, b", "c;q=0.200,d;q=1.0,e;q=0")))
                .extracting(Weighted::value)
                .containsExactly("b", "d", "a", "c", "e");
    }

    @Test
    void hasParametersInSmallLettersAndWithoutQuotes() {
        assertThat(Weighted.ofAll(List.of(" Text/X ; Version = \"1.0\" ;Q=0.5; n=1")))
                .containsExactly(new Weighted("text/x", List.of("version=1.0", "n=1"), 0.5));
    }

    @ParameterizedTest
    @CsvSource({
        "gzip, 1",
        "gzip;q=1, 1",
        "gzip;q=1.000, 1",
        "gzip;q=0.25, 0.25",
        "gzip;q=0., 0",
        "gzip;q=0.0001, 0.0001",
        "gzip;q=0, 0",
        "gzip;q=0.000, 0",
        "gzip;q=, 0",
        "gzip;q=x, 0",
        "gzip;q=-1, 0",
        "gzip;q=2, 0",
        "gzip;q=1.1, 0",
        "gzip;q=1e-1, 0",
        "gzip;q=NaN, 0",
        "gzip;q=Infinity, 0",
        "gzip;q=.5, 0"
    })
    void readsWeights(String field, double weight) {
        assertThat(Weighted.ofAll(List.of(field)))
                .singleElement()
                .extracting(Weighted::weight)
                .isEqualTo(weight);
    }

    @Test
    void anEmptyFieldHasAnEmptyMember() {
        assertThat(Weighted.ofAll(List.of())).isEmpty();
        assertThat(Weighted.ofAll(List.of(""))).containsExactly(new Weighted("", List.of(), 1));
    }
}
