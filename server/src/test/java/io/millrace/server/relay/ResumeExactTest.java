package io.millrace.server.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millrace.server.test.RawClient;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Streams that are cut again and again, at any byte: what each client has at the end is the whole stream, once. */
@Tag("sockets")
@Tag("h2")
class ResumeExactTest {
    private static final int STREAMS = 500;
    private static final int CLIENTS = 32;
    private static final int TOKENS = 40;
    private static final int USUAL_BYTES = TOKENS * 250;
    private static final Pattern STAMP = Pattern.compile("@(\\d+)@(\\d{19})@");
    private static final Pattern ID = Pattern.compile("id: (\\d+)\n\n$");

    private final Queue<RawClient> silent = new ConcurrentLinkedQueue<>();

    @AfterEach
    void closeSilent() throws IOException {
        for (RawClient each : silent) {
            each.close();
        }
    }

    /** How a client goes on. */
    private enum Way {
        OFFSET,
        IDS,
        REPLAY
    }

    @Test
    void streamsCutAtAnyByteAreWholeAndAskedForOnce() throws Exception {
        try (var bed = new ResumeBed()) {
            var pool = Executors.newFixedThreadPool(CLIENTS);
            try {
                var clients = new ArrayList<Callable<String>>();
                for (int i = 0; i < STREAMS; i++) {
                    int seed = i;
                    clients.add(() -> cutAgainAndAgain(bed, new Random(seed)));
                }
                var stamps = new ArrayList<String>();
                for (Future<String> client : pool.invokeAll(clients)) {
                    stamps.add(client.get());
                }
                assertThat(stamps).as("each client has its own stream").doesNotHaveDuplicates();
            } finally {
                pool.shutdownNow();
            }
            assertThat(bed.harness.mock.requests()).hasSize(STREAMS);
            await().until(() -> bed.harness.relay.metrics().exchanges("completed") == STREAMS);
            assertThat(bed.harness.mock.stats().streamsAborted()).isZero();
        }
    }

    /** Returns the first stamp of the stream, which no other has. */
    private String cutAgainAndAgain(ResumeBed bed, Random random) throws IOException {
        var got = new ByteArrayOutputStream();
        String id;
        try (var first = bed.ask(Api.CHAT.path, "tokens=" + TOKENS + ",stamp=1,gap_ms=uniform:0-4")) {
            id = ResumeBed.idOf(first);
            first.read(random.nextInt(USUAL_BYTES));
            got.writeBytes(first.body());
            cut(first, random);
        }
        int cuts = random.nextInt(5);
        for (int i = 0; i < cuts; i++) {
            goOn(bed, id, got, random, got.size() + 1 + random.nextInt(USUAL_BYTES / 2));
        }
        goOn(bed, id, got, random, Integer.MAX_VALUE);
        String body = got.toString(StandardCharsets.UTF_8);
        assertThat(body).endsWith("data: [DONE]\n\n");
        var stamps = STAMP.matcher(body).results().toList();
        assertThat(stamps)
                .extracting(stamp -> Integer.valueOf(stamp.group(1)))
                .containsExactlyElementsOf(IntStream.range(0, TOKENS).boxed().toList());
        try (var whole = bed.follow(id)) {
            assertThat(whole.readAll()).isTrue();
            assertThat(whole.body()).isEqualTo(got.toByteArray());
        }
        return stamps.stream().map(MatchResult::group).findFirst().orElseThrow();
    }

    /** By a reset, by silence, or by an end when the part is closed. */
    private void cut(ResumeBed.Part part, Random random) throws IOException {
        switch (random.nextInt(4)) {
            case 0, 1 -> part.client.reset();
            case 2 -> {
                part.fallSilent();
                silent.add(part.client);
            }
            default -> {}
        }
    }

    private void goOn(ResumeBed bed, String id, ByteArrayOutputStream got, Random random, int until)
            throws IOException {
        switch (Way.values()[random.nextInt(3)]) {
            case OFFSET -> byOffset(bed, id, got, random, until);
            case IDS -> byIds(bed, id, got, random, until);
            case REPLAY -> byReplay(bed, id, got, random, until);
        }
    }

    private void byOffset(ResumeBed bed, String id, ByteArrayOutputStream got, Random random, int until)
            throws IOException {
        try (var part = bed.follow(id + "?offset=" + got.size())) {
            if (part.status() != 204) {
                assertThat(part.status()).isEqualTo(200);
                readTo(part, until == Integer.MAX_VALUE ? until : until - got.size());
                got.writeBytes(part.body());
                cut(part, random);
            }
        }
    }

    private void byReplay(ResumeBed bed, String id, ByteArrayOutputStream got, Random random, int until)
            throws IOException {
        try (var part = bed.follow(id)) {
            assertThat(part.status()).isEqualTo(200);
            readTo(part, until);
            byte[] again = part.body();
            int had = got.size();
            assertThat(again.length).isGreaterThanOrEqualTo(had);
            got.write(again, had, again.length - had);
            cut(part, random);
        }
    }

    /** Like an EventSource: an event that was cut does not count, and its bytes come again. */
    private void byIds(ResumeBed bed, String id, ByteArrayOutputStream got, Random random, int until)
            throws IOException {
        byte[] had = got.toByteArray();
        got.reset();
        RawClient.cut(had).forEach(got::writeBytes);
        try (var part = bed.follow(id, ResumeBed.KEY, "Last-Event-ID: " + got.size())) {
            if (part.status() == 204) {
                return;
            }
            assertThat(part.status()).isEqualTo(200);
            readTo(part, until == Integer.MAX_VALUE ? until : until - got.size());
            for (byte[] frame : RawClient.cut(part.body())) {
                String text = new String(frame, StandardCharsets.UTF_8);
                var line = ID.matcher(text);
                assertThat(line.find()).as(text).isTrue();
                got.writeBytes((text.substring(0, line.start()) + "\n").getBytes(StandardCharsets.UTF_8));
                assertThat(line.group(1)).isEqualTo("" + got.size());
            }
            cut(part, random);
        }
    }

    private static void readTo(ResumeBed.Part part, int bytes) throws IOException {
        boolean whole = part.read(bytes);
        assertThat(whole || bytes < Integer.MAX_VALUE).isTrue();
    }
}
