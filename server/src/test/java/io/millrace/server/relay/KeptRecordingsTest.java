package io.millrace.server.relay;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.server.access.Caller;
import io.millrace.server.config.RelayConfig.Resume;
import io.millrace.server.config.Route;
import io.millrace.server.config.Route.Disconnect;
import io.millrace.server.config.Route.Retry;
import io.millrace.server.config.Upstream;
import io.millrace.server.http.Target;
import io.millrace.server.memory.MemoryBudget;
import io.millrace.server.replay.LogReader;
import io.millrace.server.replay.Seal;
import io.millrace.server.replay.StreamLog;
import io.millrace.server.test.FakeCall;
import io.millrace.server.test.RawClient;
import io.millrace.server.test.RelayHarness;
import io.millrace.server.upstream.CallListener.Breakage;
import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.http.DefaultHttpHeaders;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Recorded streams without sockets, passed on and translated: what a client had before it left, and what is kept of the rest,
 * are together what an undisturbed client gets. That holds at any place and for any end.
 */
@Tag("sockets")
class KeptRecordingsTest {
    private static final String CHAT_TEXT = "/chat";
    private static final int LEAVES = 4;
    /** Of each dialect so many recordings, none longer than this, are enough for every kind of frame. */
    private static final int MOST = 8;

    private static final int LONGEST = 20_000;
    private static final MemoryBudget BUDGET = new MemoryBudget(1 << 28, 1 << 28);

    /** How an upstream's stream ends. */
    @SuppressWarnings("ImmutableEnumChecker") // none has a state
    private enum Fault {
        WHOLE(FakeCall::end),
        EOF(FakeCall::end),
        TRUNCATED(call -> call.breakOff(Breakage.Kind.TRUNCATED)),
        RESET(call -> call.breakOff(Breakage.Kind.RESET)),
        PROTOCOL(call -> call.breakOff(Breakage.Kind.PROTOCOL)),
        ERROR_EVENT(call -> {
            call.read("event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\","
                    + "\"code\":\"overloaded\",\"message\":\"overloaded\"}}\n\n");
            call.end();
        });

        private final Consumer<FakeCall> end;

        Fault(Consumer<FakeCall> end) {
            this.end = end;
        }
    }

    /** All that a log has, and its end. */
    private static final class Whole implements LogReader {
        private final ByteArrayOutputStream got = new ByteArrayOutputStream();
        private @Nullable Seal seal;

        @Override
        public boolean wants() {
            return true;
        }

        @Override
        public void onBytes(ByteBuf bytes, long offset) {
            byte[] copy = new byte[bytes.readableBytes()];
            bytes.readBytes(copy).release();
            got.writeBytes(copy);
        }

        @Override
        public void onSealed(Seal how, long end) {
            seal = how;
        }

        @Override
        public void onGone(long oldest) {
            throw new AssertionError("gone before " + oldest);
        }

        String text() {
            return got.toString(StandardCharsets.UTF_8);
        }
    }

    @ParameterizedTest
    @EnumSource
    void aClientThatLeavesAnywhereMissesNothing(Api upstream) throws IOException {
        var random = new Random(upstream.path.length());
        int cuts = 0;
        for (String recorded : recordings(upstream)) {
            for (String path : paths()) {
                String undisturbed = stays(upstream, path, recorded, Fault.WHOLE, Disconnect.CANCEL);
                String client = stays(upstream, path, recorded, Fault.WHOLE, Disconnect.DETACH);
                assertSame("kept or not, the client gets the same", client, undisturbed);
                for (int i = 0; i < LEAVES; i++) {
                    int at = i % 2 == 0 ? frameEnd(recorded, random) : boundary(recorded, random);
                    String kept = leaves(upstream, path, recorded, at, Fault.WHOLE);
                    assertSame(upstream + " for " + path + " at " + at, kept, undisturbed);
                    cuts++;
                }
            }
        }
        assertThat(cuts).isGreaterThanOrEqualTo(5 * LEAVES * 4);
    }

    /** A fault after each frame, without a client: the log ends as a client's stream would have ended. */
    @ParameterizedTest
    @EnumSource
    void aFaultWithoutAClientIsWhatItWouldHaveBeenForOne(Api api) throws IOException {
        String recorded = Files.readString(RelayHarness.STREAMS.resolve(api.recording));
        List<Integer> ends = frameEnds(recorded);
        for (int end : ends.subList(2, Math.min(8, ends.size() - 1))) {
            for (int cut : new int[] {end, end + 9}) {
                String came = recorded.substring(0, cut);
                for (Fault fault : Fault.values()) {
                    String kept = leaves(api, api.path, came, ends.get(1), fault);
                    String client = stays(api, api.path, came, fault, Disconnect.DETACH);
                    assertSame(api + ": " + fault + " after " + cut, kept, client);
                }
            }
        }
    }

    /** Every byte of a stream that is kept is a place to go on from. */
    @Test
    void everyByteIsAPlaceToGoOn() throws IOException {
        String recorded = Files.readString(RelayHarness.STREAMS.resolve(Api.CHAT.recording));
        try (var bed = bed(Api.CHAT, Disconnect.DETACH)) {
            Exchange exchange = ask(bed, Api.CHAT.path);
            FakeCall call = bed.stream();
            int half = recorded.length() / 2;
            call.read(recorded.substring(0, half));
            StreamLog log = log(bed, Api.CHAT.path);
            exchange.onClientGone("left");
            call.read(recorded.substring(half));
            call.end();
            byte[] whole = recorded.getBytes(StandardCharsets.UTF_8);
            for (int offset = 0; offset <= whole.length; offset++) {
                var rest = new Whole();
                log.attach(rest, offset);
                assertThat(rest.seal).isEqualTo(Seal.CLEAN);
                assertThat(rest.got.size()).isEqualTo(whole.length - offset);
                assertThat(rest.text())
                        .isEqualTo(new String(whole, offset, whole.length - offset, StandardCharsets.UTF_8));
            }
            bed.loop.streams().close();
        }
    }

    /** What an undisturbed client has, and how that ended. */
    private static String stays(Api upstream, String path, String recorded, Fault fault, Disconnect disconnect) {
        try (var bed = bed(upstream, disconnect)) {
            ask(bed, path);
            FakeCall call = bed.stream();
            call.read(recorded);
            end(call, fault);
            bed.loop.streams().close();
            return (bed.client.isReset() ? "broken " : "clean ") + normal(bed.client.body());
        }
    }

    /** What is kept of a stream whose client leaves after so many characters, and how it ended. */
    private static String leaves(Api upstream, String path, String recorded, int at, Fault fault) {
        try (var bed = bed(upstream, Disconnect.DETACH)) {
            Exchange exchange = ask(bed, path);
            FakeCall call = bed.stream();
            call.read(recorded.substring(0, at));
            if (bed.client.head() == null || bed.client.ended() != null) {
                // Nothing to read yet, or nothing more: there is nothing that a client could miss.
                call.read(recorded.substring(at));
                end(call, fault);
                bed.loop.streams().close();
                return (bed.client.isReset() ? "broken " : "clean ") + normal(bed.client.body());
            }
            StreamLog log = log(bed, path);
            String had = bed.client.body();
            exchange.onClientGone("left");
            call.read(recorded.substring(at));
            end(call, fault);
            var whole = new Whole();
            log.attach(whole, 0);
            bed.pass(Duration.ZERO);
            assertThat(whole.text()).startsWith(had);
            assertThat(bed.client.body()).isEqualTo(had);
            bed.loop.streams().close();
            return (whole.seal == Seal.BROKEN ? "broken " : "clean ") + normal(whole.text());
        }
    }

    /** A failure shows the first difference, because the texts are long. */
    private static void assertSame(String what, String kept, String expected) {
        int at = 0;
        while (at < kept.length() && at < expected.length() && kept.charAt(at) == expected.charAt(at)) {
            at++;
        }
        int from = Math.max(0, at - 60);
        assertThat(kept.substring(from, Math.min(kept.length(), at + 120)))
                .as("%s, from %d on", what, from)
                .isEqualTo(expected.substring(from, Math.min(expected.length(), at + 120)));
    }

    private static void end(FakeCall call, Fault fault) {
        if (call.fate() == FakeCall.Fate.RUNNING) {
            fault.end.accept(call);
        }
    }

    private static ExchangeBed bed(Api upstream, Disconnect disconnect) {
        UnaryOperator<Route> route = r -> r.with(b -> b.disconnect = disconnect).with(b -> b.retry = Retry.OFF);
        UnaryOperator<Upstream> speaks = u -> u.with(b -> b.dialects = List.of(upstream.dialect));
        return new ExchangeBed(route, speaks, BUDGET, "a");
    }

    private static Exchange ask(ExchangeBed bed, String path) {
        Exchange exchange = bed.begin(path, "content-type", "application/json");
        bed.send(body(path));
        exchange.onRequestEnd();
        return exchange;
    }

    private static StreamLog log(ExchangeBed bed, String path) {
        var found = new ArrayList<Kept>();
        byte[] key = Caller.ANYONE.owner(new DefaultHttpHeaders(), Target.of(path), Resume.DEFAULT);
        bed.loop.streams().whenKept(bed.header("x-millrace-stream"), key, found::add);
        return found.get(0).log();
    }

    private static List<String> paths() {
        return Stream.concat(Stream.of(Api.values()).map(api -> api.path), Stream.of(CHAT_TEXT))
                .toList();
    }

    private static String body(String path) {
        return switch (path) {
            case CHAT_TEXT -> "{\"model\":\"m\",\"prompt\":\"Hello\"}";
            case "/v1/responses" -> "{\"model\":\"m\",\"stream\":true,\"input\":\"Hello\"}";
            case "/v1/chat/completions", "/v1/messages" ->
                "{\"model\":\"m\",\"stream\":true,\"max_tokens\":9,\"messages\":[{\"role\":\"user\",\"content\":\"Hello\"}]}";
            default -> "{\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"Hello\"}]}]}";
        };
    }

    private static List<String> recordings(Api api) throws IOException {
        String prefix = api == Api.MESSAGES ? "anthropic-" : api.name().toLowerCase(Locale.ROOT) + "-";
        var texts = new ArrayList<String>();
        try (Stream<Path> files = Files.list(RelayHarness.STREAMS)) {
            for (Path file : files.filter(f -> f.getFileName().toString().startsWith(prefix))
                    .sorted()
                    .toList()) {
                String text = Files.readString(file);
                if (text.length() < LONGEST && texts.size() < MOST) {
                    texts.add(text);
                }
            }
        }
        return texts;
    }

    private static List<Integer> frameEnds(String recorded) {
        var ends = new ArrayList<Integer>();
        for (byte[] frame : RawClient.cut(recorded.getBytes(StandardCharsets.UTF_8))) {
            int before = ends.isEmpty() ? 0 : ends.get(ends.size() - 1);
            ends.add(before + new String(frame, StandardCharsets.UTF_8).length());
        }
        return ends;
    }

    private static int frameEnd(String recorded, Random random) {
        List<Integer> ends = frameEnds(recorded);
        return ends.isEmpty() ? boundary(recorded, random) : ends.get(random.nextInt(ends.size()));
    }

    /** A place that is not inside of a character. */
    private static int boundary(String recorded, Random random) {
        int at = random.nextInt(recorded.length());
        return Character.isLowSurrogate(recorded.charAt(at)) ? at + 1 : at;
    }

    /** Without ids and times that each answer has of its own. */
    private static String normal(String text) {
        return text.replaceAll("(?m)^id: \\d+-[0-9a-f]{24}\\.", "id: ")
                .replaceAll("\"(created|created_at|completed_at)\":\\s*\\d+(\\.\\d+)?", "\"$1\":0")
                .replaceAll("(chatcmpl|resp|msg|rs|fc|ws|call|toolu|mr|item)[-_][A-Za-z0-9_-]+", "$1-ID")
                .replaceAll("\"responseId\":\\s*\"[^\"]*\"", "\"responseId\":\"ID\"")
                .replaceAll("\"createTime\":\\s*\"[^\"]*\"", "\"createTime\":\"T\"");
    }
}
