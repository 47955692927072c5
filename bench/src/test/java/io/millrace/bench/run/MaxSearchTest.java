package io.millrace.bench.run;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.bench.run.RateSearch.Trial;
import org.junit.jupiter.api.Test;

/** What {@code --find-max} says and reports of each way in which a search may end. */
class MaxSearchTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String WHAT = "99% of the streams keep ttft=1s";

    private static MaxSearch after(double first, Trial... trials) {
        var search = new MaxSearch(0.99, first);
        for (Trial trial : trials) {
            search.tried(trial);
        }
        return search;
    }

    private static String put(MaxSearch search) {
        ObjectNode json = JSON.createObjectNode();
        search.put(json);
        return json.toString();
    }

    @Test
    void aRateBetweenAGoodAndABadOne() {
        MaxSearch search = after(10, Trial.GOOD, Trial.BAD);

        assertThat(search.isKnown()).isTrue();
        assertThat(search.text(WHAT)).isEqualTo("highest rate at which " + WHAT + ": 10.0/s (20.0/s was too high)");
        assertThat(put(search)).isEqualTo("""
                {"max_rate":10.0,"max_rate_known":true,"max_rate_interval":[10.0,20.0]}""");
    }

    @Test
    void noRateThatIsTooHigh() {
        MaxSearch search = after(10, Trial.GOOD, Trial.GOOD);

        assertThat(search.text(WHAT))
                .isEqualTo("highest rate at which " + WHAT + ": 20.0/s (none that was tried was too high)");
        assertThat(put(search)).isEqualTo("""
                {"max_rate":20.0,"max_rate_known":true,"max_rate_interval":[20.0,null]}""");
    }

    @Test
    void noGoodRate() {
        MaxSearch search = after(8, Trial.BAD, Trial.BAD);

        assertThat(search.isKnown()).isTrue();
        assertThat(search.text(WHAT)).isEqualTo("no rate at which " + WHAT);
        assertThat(put(search)).isEqualTo("""
                {"max_rate":0.0,"max_rate_known":true,"max_rate_interval":[0.0,4.0]}""");
    }

    @Test
    void aClientThatIsNotFitAboveAGoodRate() {
        MaxSearch search = after(10, Trial.GOOD, Trial.UNFIT, Trial.UNFIT);

        assertThat(search.isKnown()).isFalse();
        assertThat(search.text(WHAT))
                .isEqualTo("not known above 10.0/s: at that rate " + WHAT
                        + "; at 20.0/s this client was not fit to tell, twice");
        assertThat(put(search)).isEqualTo("""
                {"max_rate":10.0,"max_rate_known":false,"max_rate_interval":[10.0,null]}""");
    }

    @Test
    void aClientThatIsNotFitBetweenAGoodRateAndABadOne() {
        MaxSearch search = after(10, Trial.GOOD, Trial.BAD, Trial.UNFIT, Trial.UNFIT);

        assertThat(search.text(WHAT)).startsWith("not known above 10.0/s").contains("at 15.0/s this client");
        assertThat(put(search)).isEqualTo("""
                {"max_rate":10.0,"max_rate_known":false,"max_rate_interval":[10.0,20.0]}""");
    }

    @Test
    void aClientThatIsNeverFit() {
        MaxSearch search = after(10, Trial.UNFIT, Trial.UNFIT);

        assertThat(search.text(WHAT))
                .isEqualTo("no rate is known at which " + WHAT + "; at 10.0/s this client was not fit to tell, twice");
    }
}
