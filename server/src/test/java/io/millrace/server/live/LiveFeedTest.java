package io.millrace.server.live;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.millrace.server.live.LiveStream.State;
import io.millrace.server.test.Events;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a watcher is told of streams: what has changed, and of the first in its order only. */
class LiveFeedTest {
    private static final JsonMapper JSON = new JsonMapper();
    private static final long START_NS = TimeUnit.HOURS.toNanos(1);

    private final LiveFeed feed = new LiveFeed(START_NS);

    @Test
    void tellsAllOfANewRowAndOnlyTheChangesOfOneThatIsKnown() throws IOException {
        JsonNode first = tell(0, streaming("a", 500, 200, 400));
        assertThat(first.path("rows").get(0).toString())
                .isEqualTo("{\"id\":\"a\",\"address\":\"127.0.0.1\",\"client\":\"team\",\"path\":\"/v1/messages\","
                        + "\"began\":-500,\"model\":\"m\",\"upstream\":\"u\",\"origin\":\"http://o\","
                        + "\"state\":\"streaming\",\"attempts\":1,\"frames\":10,\"bytes\":400,\"ttft\":200,"
                        + "\"quiet\":0}");

        assertThat(tell(500, streaming("a", 500, 200, 400)).path("rows")).isEmpty();
        JsonNode changed = tell(1000, streaming("a", 500, 200, 480));
        assertThat(changed.path("rows").toString()).isEqualTo("[{\"id\":\"a\",\"bytes\":480}]");
        assertThat(changed.path("gone")).isEmpty();
        assertThat(changed.path("at").asLong()).isEqualTo(1000);
    }

    @Test
    void forgetsWhatIsNotKnownAnyMore() throws IOException {
        tell(0, streaming("a", 500, 200, 400));
        var again = new LiveStream(
                "a", null, null, "/x", null, null, null, 2, State.RETRYING, START_NS, -1, START_NS, 0, 0, 0);
        JsonNode row = tell(500, again).path("rows").get(0);
        assertThat(row.path("model").isNull()).isTrue();
        assertThat(row.path("ttft").asInt()).isEqualTo(-1);
        assertThat(row.path("attempts").asInt()).isEqualTo(2);

        JsonNode empty = tell(1000);
        assertThat(empty.path("gone").toString()).isEqualTo("[\"a\"]");
        assertThat(empty.path("total").asInt()).isZero();
        assertThat(tell(1500).path("gone")).isEmpty();
    }

    @Test
    void tellsThousandsByTheirCountAndTheTopOnly() throws IOException {
        var crowd = new ArrayList<LiveStream>();
        for (int i = 0; i < 9_000; i++) {
            crowd.add(streaming("s" + i, i, 10, 400));
        }
        JsonNode told = tell(LiveQuery.of("?sort=age&order=desc&top=20"), 0, crowd);
        assertThat(told.path("total").asInt()).isEqualTo(9_000);
        assertThat(told.path("states").path("streaming").asInt()).isEqualTo(9_000);
        assertThat(told.path("rows")).hasSize(20);
        assertThat(told.path("rows").get(0).path("id").asText()).isEqualTo("s8999");
        assertThat(told.path("rows").get(19).path("id").asText()).isEqualTo("s8980");

        JsonNode later = tell(LiveQuery.of("?sort=age&order=desc&top=20"), 500, crowd.subList(0, 8_999));
        assertThat(later.path("rows").toString()).contains("s8979").doesNotContain("s8980");
        assertThat(later.path("gone").toString()).isEqualTo("[\"s8999\"]");
    }

    @Test
    void showsStallsFirstAndNamesThem() throws IOException {
        JsonNode told = tell(
                2_000,
                stream("brisk", State.STREAMING, 1_000, 10, 500),
                stream("late", State.WAITING, 20_000, -1, 11_000),
                stream("stalled", State.STREAMING, 9_000, 10, 4_000),
                stream("slow client", State.PAUSED, 30_000, 10, 25_000),
                stream("patient", State.WAITING, 8_000, -1, 7_000),
                stream("sending", State.READING, 99_000, -1, 0));
        assertThat(told.path("stalled").asInt()).isEqualTo(2);
        assertThat(told.path("rows").findValuesAsText("id"))
                .containsExactly("late", "stalled", "sending", "slow client", "patient", "brisk");
    }

    @ParameterizedTest
    @CsvSource({"TEAM, 2", "127.0.0.1, 3", "streaming, 2", "/v1/mess, 3", "nothing, 0", "B, 1", "'', 3"})
    void filtersByWhatARowSays(String filter, int rows) throws IOException {
        var other = new LiveStream(
                "b",
                InetAddress.getLoopbackAddress(),
                null,
                "/v1/messages",
                "m",
                "u",
                null,
                1,
                State.WAITING,
                0,
                -1,
                START_NS,
                0,
                0,
                5);
        List<LiveStream> all = List.of(streaming("a", 1, 1, 1), streaming("c", 1, 1, 1), other);
        JsonNode told = tell(LiveQuery.of("?filter=" + filter), 0, all);
        assertThat(told.path("rows")).hasSize(rows);
        assertThat(told.path("matched").asInt()).isEqualTo(rows);
        assertThat(told.path("total").asInt()).isEqualTo(3);
    }

    @ParameterizedTest
    @CsvSource({"'', 100", "?top=7, 7", "?top=-1, 1", "?top=99999, 200", "?top=x, 100", "?sort=x&order=y&top=%zz, 100"})
    void takesNoMoreThanAFewHundredRows(String query, int top) {
        LiveQuery read = LiveQuery.of(query);
        assertThat(read.top()).isEqualTo(top);
        assertThat(read.column()).isEqualTo(LiveColumn.SILENCE);
        assertThat(read.ascending()).isFalse();
    }

    private JsonNode tell(long atMs, LiveStream... streams) throws IOException {
        return tell(LiveQuery.of(""), atMs, List.of(streams));
    }

    /** As if two event loops had them. */
    private JsonNode tell(LiveQuery query, long atMs, List<LiveStream> streams) throws IOException {
        long nowNs = START_NS + TimeUnit.MILLISECONDS.toNanos(atMs);
        var all = new Tally(query, nowNs);
        for (int loop = 0; loop < 2; loop++) {
            var its = new Tally(query, nowNs);
            for (int i = loop; i < streams.size(); i += 2) {
                its.add(streams.get(i));
            }
            all.addAll(its);
        }
        var events = Events.of(new String(feed.streams(all), StandardCharsets.UTF_8));
        assertThat(events).hasSize(1);
        assertThat(events.get(0).type()).isEqualTo("streams");
        return JSON.readTree(events.get(0).data());
    }

    private static LiveStream streaming(String id, long agoMs, long ttftMs, long bytes) {
        return new LiveStream(
                id,
                InetAddress.getLoopbackAddress(),
                "team",
                "/v1/messages",
                "m",
                "u",
                "http://o",
                1,
                State.STREAMING,
                START_NS - TimeUnit.MILLISECONDS.toNanos(agoMs),
                TimeUnit.MILLISECONDS.toNanos(ttftMs),
                START_NS,
                10,
                bytes,
                0);
    }

    /** A stream of that age and silence, as they are two seconds after the start. */
    private static LiveStream stream(String id, State state, long ageMs, long ttftMs, long silenceMs) {
        long nowNs = START_NS + TimeUnit.SECONDS.toNanos(2);
        return new LiveStream(
                id,
                null,
                null,
                "/x",
                null,
                null,
                null,
                1,
                state,
                nowNs - TimeUnit.MILLISECONDS.toNanos(ageMs),
                ttftMs < 0 ? -1 : TimeUnit.MILLISECONDS.toNanos(ttftMs),
                silenceMs == 0 ? 0 : nowNs - TimeUnit.MILLISECONDS.toNanos(silenceMs),
                0,
                0,
                0);
    }
}
