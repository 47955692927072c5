package io.millrace.server.relay;

import static io.millrace.server.relay.ResumeBed.KEY;
import static io.millrace.server.relay.ResumeBed.idOf;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millrace.server.config.Http2;
import io.millrace.server.config.RelayConfig.Resume;
import io.millrace.server.config.Route.Disconnect;
import io.millrace.server.test.RawClient;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Requests about streams that are kept: who may read what, and what the others are told. */
@Tag("sockets")
@Tag("h2")
class FollowTest {
    private static final String STALL = "tokens=9,stall_after=3";
    private static final String OTHER_KEY = "Authorization: Bearer sk-two";

    @Test
    void tellsFromWhereAStreamCanBeRead() throws IOException {
        try (var bed = new ResumeBed();
                var first = bed.ask(Api.RESPONSES.path, "tokens=5")) {
            String id = idOf(first);
            assertThat(first.readAll()).isTrue();
            int end = first.body().length;
            String places = "\"oldest\":0,\"newest\":" + end + ",\"state\":\"clean\"";
            assertThat(answer(bed, "GET", id + "?offset=" + end)).isEqualTo("204 ");
            assertThat(answer(bed, "GET", id + "?offset=" + (end - 1))).isEqualTo("200 \n");
            assertThat(answer(bed, "GET", id + "?offset=" + end, KEY, "X-Millrace-Offset: " + end))
                    .isEqualTo("204 ");
            assertThat(answer(bed, "GET", id + "?offset=" + (end + 1)))
                    .startsWith("416 ")
                    .contains("offset_ahead", places);
            assertThat(answer(bed, "GET", id + "?ids&offset=1"))
                    .startsWith("400 ")
                    .contains("offset_in_frame", places);
            for (String wrong :
                    List.of("offset=", "offset=-1", "offset=x", "offset=1&offset=2", "offset=9999999999999999999")) {
                assertThat(answer(bed, "GET", id + "?" + wrong))
                        .as(wrong)
                        .startsWith("400 ")
                        .contains("bad_offset");
            }
            assertThat(answer(bed, "GET", id + "?offset=1", KEY, "Last-Event-ID: 2"))
                    .contains("bad_offset");
            assertThat(answer(bed, "GET", id + "?ids=false&offset=1")).startsWith("200 ");
            assertThat(bed.harness.mock.requests()).hasSize(1);
        }
    }

    @Test
    void tellsWhatThereIsWithoutABody() throws IOException {
        try (var bed = new ResumeBed();
                var first = bed.ask(Api.CHAT.path, STALL)) {
            String id = idOf(first);
            first.read(400);
            try (var head = bed.send("HEAD", id)) {
                assertThat(head.status()).isEqualTo(200);
                assertThat(head.header("x-millrace-state")).isEqualTo("live");
                assertThat(head.header("x-millrace-oldest")).isEqualTo("0");
                assertThat(Integer.parseInt(head.header("x-millrace-tail"))).isGreaterThanOrEqualTo(400);
            }
            assertThat(answer(bed, "DELETE", id)).isEqualTo("204 ");
            assertThat(first.readAll()).isTrue();
            try (var head = bed.send("HEAD", id)) {
                assertThat(head.header("x-millrace-state")).isEqualTo("clean");
                assertThat(head.header("x-millrace-tail")).isEqualTo("" + first.body().length);
            }
            assertThat(answer(bed, "GET", id)).isEqualTo("200 " + first.text());
            assertThat(answer(bed, "DELETE", id)).as("it is forgotten").isEqualTo("204 ");
            assertThat(answer(bed, "DELETE", id)).startsWith("404 ");
            assertThat(answer(bed, "GET", id)).startsWith("404 ");
        }
    }

    /** Guessed ids, other keys' ids, of streams in progress and ended, and ids that are none get one answer. */
    @Test
    void nothingTellsAnIdOfAnotherKeyFromNone() throws IOException {
        var asked = new Asked();
        try (var bed = guessed();
                var first = bed.ask(Api.CHAT.path, STALL);
                var over = bed.ask(Api.CHAT.path, "tokens=2")) {
            assertThat(over.readAll()).isTrue();
            String id = idOf(first);
            asked.ask(bed, 10, List.of(id, idOf(over)));
            try (var client = bed.harness.client()) {
                asked.timed(client, "GET", id, "X-None: 1");
                asked.timed(client, "GET", "99-00", KEY);
                asked.timed(client, "GET", "x", KEY);
            }
            assertThat(asked.answers).hasSize(2).allMatch(answer -> answer.contains("stream_not_found"));
            assertThat(answer(bed, "GET", id + "?offset=9999999")).startsWith("416 ");
            assertThat(answer(bed, "HEAD", id, OTHER_KEY)).isEqualTo("404 ");
        }
    }

    /** 10,000 ids: guessed ones take the same time as other keys' ids, of streams in progress and ended. */
    @Test
    @Tag("time")
    void theTimeOfAnAnswerDoesNotTellAnIdOfAnotherKeyFromNone() throws IOException {
        var asked = new Asked();
        try (var bed = guessed();
                var first = bed.ask(Api.CHAT.path, STALL);
                var over = bed.ask(Api.CHAT.path, "tokens=2")) {
            assertThat(over.readAll()).isTrue();
            asked.ask(bed, 100, List.of(idOf(first), idOf(over)));
            assertThat(asked.answers).hasSize(2);
            assertThat(median(asked.othersNs) / median(asked.unknownNs)).isBetween(0.8, 1.25);
            assertThat(errors(asked.othersNs, asked.unknownNs))
                    .as("differences of the mean times, in standard errors, of three thirds")
                    .anyMatch(error -> Math.abs(error) <= 3);
        }
    }

    /** A relay where one address may ask in vain without end. */
    private static ResumeBed guessed() {
        var guessing = Http2.DEFAULT.with(h -> h.wastedPerAddress = 0);
        return new ResumeBed(Disconnect.DETACH, Resume.DEFAULT, config -> config.with(c -> c.http2 = guessing));
    }

    /** Asks in vain: notes the answers, and their times. */
    private static final class Asked {
        private final Set<String> answers = new HashSet<>();
        private final List<Long> unknownNs = new ArrayList<>();
        private final List<Long> othersNs = new ArrayList<>();

        /** Asks for guessed ids and for these of another key, 50 of each on each connection. */
        void ask(ResumeBed bed, int connections, List<String> others) throws IOException {
            var random = new SecureRandom();
            byte[] guess = new byte[12];
            String loop = others.get(0).substring(0, others.get(0).indexOf('-') + 1);
            for (int part = 0; part < connections; part++) { // over HTTP/2 so many requests of one would be a flood
                try (var client = bed.harness.client()) {
                    for (int i = 0; i < 50; i++) {
                        random.nextBytes(guess);
                        String guessed = loop + HexFormat.of().formatHex(guess);
                        String method = i % 4 == 0 ? "DELETE" : "GET";
                        boolean before = random.nextBoolean(); // the second of two is warmer
                        long unknown = before ? timed(client, method, guessed, KEY) : 0;
                        othersNs.add(timed(client, method, others.get(i / 4 % 2), OTHER_KEY));
                        unknownNs.add(before ? unknown : timed(client, method, guessed, KEY));
                    }
                }
            }
        }

        long timed(RawClient client, String method, String id, String key) throws IOException {
            long beganNs = System.nanoTime();
            client.send(method, "/millrace/streams/" + id, "", key);
            RawClient.Response response = client.readAll();
            long tookNs = System.nanoTime() - beganNs;
            String head = response.head().replaceAll("(?i)x-millrace-request-id: .*\r\n|date: .*\r\n", "");
            answers.add(method + " " + head + response.text());
            return tookNs;
        }
    }

    @Test
    void aStreamOfAnyEventLoopIsReadOnAnyOther() throws IOException {
        try (var bed = new ResumeBed()) {
            var loops = new HashSet<String>();
            for (int i = 0; i < 24; i++) {
                try (var first = bed.ask(Api.MESSAGES.path, "tokens=3");
                        var again = bed.follow(idOf(first))) {
                    loops.add(idOf(first).split("-", -1)[0]);
                    assertThat(first.readAll() && again.readAll()).isTrue();
                    assertThat(again.body()).isEqualTo(first.body());
                }
            }
            assertThat(loops).hasSizeGreaterThan(1);
        }
    }

    /** Eight readers at once, at any pace; a ninth is told to come later. */
    @Test
    void manyReadersHaveTheSame() throws IOException {
        try (var bed = new ResumeBed();
                var first = bed.ask(Api.CHAT.path, "tokens=60,gap_ms=5")) {
            String id = idOf(first);
            var readers = new ArrayList<ResumeBed.Part>();
            for (int i = 0; i < 8; i++) {
                first.read(400 * i);
                readers.add(bed.follow(id + "?offset=" + 300 * i));
            }
            assertThat(answer(bed, "GET", id)).startsWith("429 ").contains("too_many_readers");
            readers.get(7).close();
            await().until(() -> answer(bed, "HEAD", id).equals("200 "));
            assertThat(first.readAll()).isTrue();
            byte[] whole = first.body();
            for (int i = 0; i < 7; i++) {
                try (ResumeBed.Part reader = readers.get(i)) {
                    assertThat(reader.readAll()).isTrue();
                    assertThat(reader.body()).isEqualTo(Arrays.copyOfRange(whole, 300 * i, whole.length));
                }
            }
        }
    }

    /** The client that asked reads nothing: another reader has all of it all the same, and the log has no more than its bound. */
    @Test
    void aSlowClientSlowsNobody() throws IOException {
        int tokens = 32_000; // 7 MB, above what the kernel's buffers hold
        var small = Resume.DEFAULT.with(r -> r.bytes = 1 << 18);
        try (var bed = new ResumeBed(Disconnect.DETACH, small, config -> config);
                var first = bed.ask(Api.CHAT.path, "tokens=" + tokens)) {
            String id = idOf(first);
            try (var reader = bed.follow(id + "?offset=" + tailWhenStill(bed, id))) {
                assertThat(reader.status()).isEqualTo(200);
                assertThat(reader.readAll()).isTrue();
                assertThat(reader.text()).endsWith("data: [DONE]\n\n");
            }
            assertThat(first.readAll()).as("its next bytes are gone").isFalse();
            assertThat(answer(bed, "GET", idOf(first) + "?offset=" + first.body().length))
                    .startsWith("410 ")
                    .contains("stream_gone");
        }
    }

    /** With nobody else to read, the upstream waits for the slow client, which loses nothing. */
    @Test
    void aSlowClientAloneHasEverything() throws IOException {
        int tokens = 32_000;
        var small = Resume.DEFAULT.with(r -> r.bytes = 1 << 18);
        try (var bed = new ResumeBed(Disconnect.DETACH, small, config -> config);
                var first = bed.ask(Api.CHAT.path, "tokens=" + tokens)) {
            String id = idOf(first);
            await().until(() -> oldest(bed, id) > 0);
            assertThat(first.readAll()).isTrue();
            assertThat(first.text().split("\"content\":\"", -1)).hasSizeGreaterThan(tokens);
            assertThat(first.text()).endsWith("data: [DONE]\n\n");
        }
    }

    @Test
    void whatIsDroppedIsGone() throws IOException {
        var small = Resume.DEFAULT.with(r -> r.bytes = 64 * 1024);
        try (var bed = new ResumeBed(Disconnect.DETACH, small, config -> config);
                var first = bed.ask(Api.CHAT.path, "tokens=1000")) {
            String id = idOf(first);
            assertThat(first.readAll()).isTrue();
            String gone = answer(bed, "GET", id);
            assertThat(gone).startsWith("410 ").contains("\"newest\":" + first.body().length);
            int oldest = Integer.parseInt(gone.replaceAll("(?s).*\"oldest\":(\\d+).*", "$1"));
            assertThat(oldest).isBetween(first.body().length - 64 * 1024, first.body().length);
            try (var rest = bed.follow(id + "?offset=" + oldest)) {
                assertThat(rest.readAll()).isTrue();
                assertThat(rest.body()).isEqualTo(Arrays.copyOfRange(first.body(), oldest, first.body().length));
            }
        }
    }

    @Test
    void whatIsOverIsForgottenInTime() throws IOException {
        var shortly = Resume.DEFAULT.with(r -> r.keep = Duration.ofMillis(50));
        try (var bed = new ResumeBed(Disconnect.DETACH, shortly, config -> config);
                var first = bed.ask(Api.CHAT.path, "tokens=2")) {
            first.readAll();
            await().until(() ->
                    answer(bed, "GET", first.header("x-millrace-stream")).startsWith("404 "));
        }
    }

    /** Memory for about three answers: the oldest that have ended go, and are told as gone; all clients are served. */
    @Test
    void logsThatEndedFirstGoFirst() throws IOException {
        var small = Resume.DEFAULT.with(r -> r.memory = 400 * 1024);
        try (var bed = new ResumeBed(Disconnect.DETACH, small, config -> config.with(c -> c.eventLoops = 1))) {
            var ids = new ArrayList<String>();
            for (int i = 0; i < 8; i++) {
                try (var first = bed.ask(Api.CHAT.path, "tokens=400")) {
                    assertThat(first.readAll()).isTrue();
                    ids.add(idOf(first));
                }
            }
            await().until(() -> answer(bed, "GET", ids.get(0)).startsWith("410 "));
            assertThat(answer(bed, "GET", ids.get(7))).startsWith("200 ");
            List<Boolean> kept = ids.stream().map(id -> isKept(bed, id)).toList();
            assertThat(kept).isEqualTo(kept.stream().sorted().toList());
        }
    }

    @Test
    void isCounted() throws IOException {
        var small = Resume.DEFAULT.with(r -> r.memory = 64 * 1024);
        try (var bed = new ResumeBed(Disconnect.DETACH, small, config -> config.with(c -> c.eventLoops = 1));
                var first = bed.ask(Api.CHAT.path, STALL);
                var reader = bed.follow(idOf(first))) {
            reader.read(1);
            answer(bed, "GET", "0-00");
            assertThat(measured(bed))
                    .containsEntry("logs{state=\"live\"}", 1L)
                    .containsEntry("logs{state=\"ended\"}", 0L)
                    .containsEntry("readers", 1L)
                    .containsEntry("bytes", 2048L)
                    .containsEntry("bytes_limit", 65536L)
                    .containsEntry("resumes_total{result=\"read\"}", 1L)
                    .containsEntry("resumes_total{result=\"stream_not_found\"}", 1L);
            answer(bed, "DELETE", idOf(first));
            assertThat(reader.readAll()).isTrue();
            answer(bed, "GET", idOf(first) + "?offset=" + reader.body().length);
            try (var large = bed.ask(Api.CHAT.path, "tokens=1000")) {
                assertThat(large.readAll()).isTrue();
            }
            answer(bed, "DELETE", idOf(first));
            assertThat(measured(bed))
                    .containsEntry("logs{state=\"live\"}", 0L)
                    .containsEntry("logs{state=\"ended\"}", 0L)
                    .containsEntry("readers", 0L)
                    .containsEntry("bytes", 0L)
                    .containsEntry("resumes_total{result=\"whole\"}", 1L)
                    .containsEntry("given_up_total{what=\"live\"}", 1L);
        }
    }

    /** The metrics about kept streams. */
    private static Map<String, Long> measured(ResumeBed bed) {
        return new String(bed.harness.relay.metrics().text(), StandardCharsets.UTF_8)
                .lines()
                .filter(line -> line.startsWith("millrace_replay_"))
                .map(line -> line.substring("millrace_replay_".length()).split(" ", 2))
                .collect(Collectors.toMap(parts -> parts[0], parts -> (long) Double.parseDouble(parts[1])));
    }

    @Tag("h1")
    @ParameterizedTest
    @CsvSource({"GET", "HEAD"})
    void speaksToOldClients(String method) throws IOException {
        try (var bed = new ResumeBed();
                var first = bed.ask(Api.CHAT.path, "tokens=3");
                var client = bed.harness.client()) {
            String id = first.header("x-millrace-stream");
            first.readAll();
            client.sendRaw(method + " /millrace/streams/" + id + " HTTP/1.0\r\n" + KEY + "\r\n\r\n");
            RawClient.Response response = client.readAll();
            assertThat(response.status()).isEqualTo(200);
            assertThat(response.header("transfer-encoding")).isNull();
            assertThat(response.text()).isEqualTo(method.equals("GET") ? first.text() : "");
        }
    }

    /** How much there is when the upstream waits. */
    private static long tailWhenStill(ResumeBed bed, String id) {
        long[] last = {0};
        await().until(() -> {
            try (var head = bed.send("HEAD", id)) {
                long before = last[0];
                last[0] = Long.parseLong(head.header("x-millrace-tail"));
                return last[0] == before && before > 0;
            }
        });
        return last[0];
    }

    private static long oldest(ResumeBed bed, String id) throws IOException {
        try (var head = bed.send("HEAD", id)) {
            return Long.parseLong(head.header("x-millrace-oldest"));
        }
    }

    private static boolean isKept(ResumeBed bed, String id) {
        try {
            return answer(bed, "HEAD", id).equals("200 ");
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    /** Status and body. */
    private static String answer(ResumeBed bed, String method, String what, String... headers) throws IOException {
        try (var client = bed.harness.client()) {
            String[] fields = headers.length == 0 ? new String[] {KEY} : headers;
            client.send(method, "/millrace/streams/" + what, "", fields);
            String head = client.readHead();
            String status = head.substring(9, 13);
            boolean bodiless = method.equals("HEAD") || status.equals("204 ");
            return bodiless ? status : status + client.readBody(head).text();
        }
    }

    /** How far the mean of the differences is from zero, in its standard errors: of each third. */
    private static List<Double> errors(List<Long> some, List<Long> others) {
        var errors = new ArrayList<Double>();
        int third = some.size() / 3;
        for (int from = 0; from + third <= some.size(); from += third) {
            double[] differences = IntStream.range(from, from + third)
                    .mapToDouble(i -> some.get(i) - others.get(i))
                    .toArray();
            double mean = Arrays.stream(differences).average().orElseThrow();
            double variance = Arrays.stream(differences)
                    .map(each -> (each - mean) * (each - mean))
                    .average()
                    .orElseThrow();
            errors.add(mean / Math.sqrt(variance / third));
        }
        return errors;
    }

    private static double median(List<Long> values) {
        return values.stream().sorted().skip(values.size() / 2).findFirst().orElseThrow();
    }
}
