package io.millrace.server.share;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.server.replay.OnceKey;
import io.millrace.server.replay.Seal;
import io.millrace.server.replay.StreamLog;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The names of streams between nodes: who has a name, and until when. */
class SharedNamesTest {
    private static final OnceKey NAME = new OnceKey("scope", "content");
    private static final String KEY = "millrace:k:scope";
    private static final int STEP_MS = 20;

    private long nowMs = 1_000;
    private int watches;
    private final FakeRedis redis = new FakeRedis(() -> nowMs);
    private final FakeNode one = new FakeNode(redis, () -> nowMs);
    private final FakeNode two = new FakeNode(redis, () -> nowMs);

    private void run(int ms) {
        for (int i = 0; i < ms; i += STEP_MS) {
            one.run();
            two.run();
            nowMs += STEP_MS;
        }
    }

    /** The stream that has the name, as {@code node} is told when it claims the name for {@code id}. */
    private String claim(FakeNode node, String id) {
        var told = new @Nullable String[1];
        node.loop.promise(id, FakeNode.KEY, NAME);
        node.loop.claim(NAME, id, holder -> told[0] = holder == null ? id : holder.stream());
        run(200);
        return String.valueOf(told[0]);
    }

    /** A node died before there was anything of its answer. */
    @Test
    void theNameOfADeadNodeIsFreeWhenItsLeaseIsOver() {
        String id = one.newId();
        String retried = two.newId();
        assertThat(claim(one, id)).isEqualTo(id);
        one.stands = true;
        redis.unsubscribe(one.share.inbox());
        assertThat(claim(two, retried)).isEqualTo(id);
        FakeNode.Reader waiting = two.read(id, FakeNode.KEY, 0);
        run(5_000);
        assertThat(waiting.answer).as("its lease is not over").isNull();
        run(3_000);
        assertThat(waiting.answer).isEqualTo("none");
        assertThat(claim(two, retried)).isEqualTo(retried);
        one.stands = false;
        one.loop.free(NAME, id);
        run(500);
        assertThat(claim(one, one.newId())).as("the node is back").isEqualTo(retried);
    }

    /** The name of a node that was away has passed to another stream: it is not deleted, not even in the last moment. */
    @Test
    void nobodyFreesTheNameOfAnotherStream() {
        String id = one.newId();
        assertThat(claim(one, id)).isEqualTo(id);
        one.stands = true;
        nowMs += Shipment.LIFE_MS;
        String later = two.newId();
        assertThat(claim(two, later)).isEqualTo(later);
        one.stands = false;
        one.loop.free(NAME, id);
        run(100);
        assertThat(holder()).startsWith(later);

        redis.before = command -> {
            if (command.equals("MULTI")) {
                redis.execute("SET", KEY, "another content", "PX", "1000");
            }
        };
        two.loop.free(NAME, later);
        run(100);
        assertThat(holder()).isEqualTo("another content");
    }

    /** Such as one whose user may not use the command. */
    @Test
    void noNameIsDeletedWithoutAWatch() {
        String id = one.newId();
        assertThat(claim(one, id)).isEqualTo(id);
        redis.before = command -> {
            if (command.equals("WATCH")) {
                throw new FakeRedis.Refused("NOPERM this user has no permissions to run the 'watch' command");
            }
        };
        one.loop.free(NAME, id);
        run(100);
        assertThat(holder()).startsWith(id);
        assertThat(one.share.counters().errors()).containsKey("NOPERM");
        assertThat(claim(two, two.newId())).as("the next one has its turn").isEqualTo(id);
    }

    /** Many names are deleted in a few turns. One that has passed to another stream stays, and hinders none. */
    @Test
    void manyNamesAreFreedTogether() {
        String id = one.newId();
        for (int i = 0; i < 200; i++) {
            redis.execute("SET", "millrace:k:many" + i, id + " content", "PX", "100000");
        }
        redis.before = command -> watches += command.equals("WATCH") ? 1 : 0;
        freeMany(id);
        assertThat(redis.keys()).noneMatch(key -> key.contains("many"));
        assertThat(watches).isLessThanOrEqualTo(5);

        for (int i = 0; i < 200; i++) {
            redis.execute("SET", "millrace:k:many" + i, id + " content", "PX", "100000");
        }
        redis.before = command -> {
            watches += command.equals("WATCH") ? 1 : 0;
            if (command.equals("EXEC") && watches == 2) {
                redis.execute("SET", "millrace:k:many9", "another content", "PX", "100000");
            }
        };
        freeMany(id);
        assertThat(redis.keys().stream().filter(key -> key.contains("many"))).containsExactly("millrace:k:many9");
        assertThat(watches).isLessThanOrEqualTo(6);
    }

    /** They are known to be another's after the first turn, and are watched no more. */
    @Test
    void namesOfOtherStreamsDoNotHinderTheOthersOfTheirTurn() {
        String id = one.newId();
        for (int i = 0; i < 200; i++) {
            String stream = i % 20 == 0 ? "another" : id;
            redis.execute("SET", "millrace:k:many" + i, stream + " content", "PX", "100000");
        }
        redis.before = command -> {
            watches += command.equals("WATCH") ? 1 : 0;
            if (command.equals("EXEC")) {
                redis.execute("SET", "millrace:k:many0", "another content" + watches, "PX", "100000");
            }
        };
        freeMany(id);
        assertThat(redis.keys().stream().filter(key -> key.contains("many"))).hasSize(10);
        assertThat(watches).isLessThanOrEqualTo(6);
    }

    /** Each turn meets a change of one of its own names: the turns become smaller, so all names have theirs. */
    @Test
    void manyNamesThatChangeAreFreedInTheEnd() {
        String id = one.newId();
        for (int i = 0; i < 200; i++) {
            redis.execute("SET", "millrace:k:many" + i, id + " content", "PX", "100000");
        }
        redis.before = command -> {
            if (command.equals("EXEC")) {
                String value = id + " content" + watches++;
                redis.execute("SET", "millrace:k:many199", value, "PX", "100000");
            }
        };
        freeMany(id);
        assertThat(redis.keys().stream().filter(key -> key.contains("many")))
                .as("the name that changes is left to its time")
                .containsExactly("millrace:k:many199");
    }

    /** The name waits to be deleted when a second stream gives it back. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aNameThatTwoStreamsGiveBackIsDeletedIfOneOfThemHasIt(boolean secondHasIt) {
        String first = one.newId();
        String second = one.newId();
        var order = new StringBuilder();
        one.disconnect(0);
        redis.execute("SET", KEY, (secondHasIt ? second : first) + " content", "PX", "100000");
        assertThat(one.loop.free(KEY, first)).isTrue();
        one.loop.freed().then(KEY, () -> order.append(holder()).append("free"));
        assertThat(one.loop.free(KEY, second)).isTrue();
        one.connect();
        run(100);
        assertThat(holder()).isEmpty();
        assertThat(order).hasToString("free");
    }

    /** The same in the last moment, when the name of the first one is being deleted. */
    @Test
    void aNameThatIsGivenBackWhileItIsBeingDeletedIsDeletedToo() {
        String first = one.newId();
        String second = one.newId();
        var order = new StringBuilder();
        redis.execute("SET", KEY, first + " content", "PX", "100000");
        redis.before = command -> {
            if (command.equals("EXEC") && watches++ == 0) {
                redis.execute("SET", KEY, second + " content", "PX", "100000");
                one.loop.free(KEY, second);
            }
        };
        one.loop.free(KEY, first);
        one.loop.freed().then(KEY, () -> order.append(holder()).append("free"));
        run(100);
        assertThat(watches).isEqualTo(2);
        assertThat(holder()).isEmpty();
        assertThat(order).hasToString("free");
    }

    @Test
    void noMoreNamesWaitThanAreCounted() {
        String id = one.newId();
        one.disconnect(0);
        for (int i = 0; i < FreedNames.MOST_WAITING; i++) {
            assertThat(one.loop.free("many" + i, id)).isTrue();
        }
        assertThat(one.loop.free(KEY, id)).isFalse();
        assertThat(one.loop.free("many0", one.newId())).as("it waits already").isTrue();
        var free = new AtomicInteger();
        one.loop.freed().then(KEY, free::incrementAndGet);
        assertThat(free).as("it does not wait").hasValue(1);
        one.connect();
        run(1_000);
        assertThat(one.loop.free(KEY, id)).isTrue();
    }

    /** A stream of another event loop has given the name back, and its delete is not done yet. */
    @Test
    void aNameThatAnotherEventLoopGivesBackIsFree() {
        redis.execute("SET", KEY, one.newId() + " content", "PX", "100000");
        String id = one.newId();
        assertThat(claim(one, id)).isEqualTo(id);
        assertThat(holder()).isEqualTo(id + " content");
        assertThat(claim(two, two.newId())).isEqualTo(id);

        redis.execute("SET", KEY, two.newId() + " content", "PX", "100000");
        redis.before = command -> {
            if (command.equals("WATCH")) {
                throw new FakeRedis.Refused("NOPERM this user has no permissions to run the 'watch' command");
            }
        };
        String unseen = two.newId();
        assertThat(claim(two, unseen)).as("it cannot be deleted").isEqualTo(unseen);
    }

    private void freeMany(String id) {
        watches = 0;
        for (int i = 0; i < 200; i++) {
            one.loop.free(new OnceKey("many" + i, "content"), id);
        }
        run(500);
    }

    private String holder() {
        return Entries.text(redis.execute("GET", KEY));
    }

    /** A name that is given back and claimed at once: the second claim counts. */
    @Test
    void aNameThatIsBeingFreedIsClaimedAfterwards() {
        String first = one.newId();
        String second = one.newId();
        assertThat(claim(one, first)).isEqualTo(first);
        one.loop.free(NAME, first);
        one.loop.free(new OnceKey("scope2", "content"), first);
        assertThat(claim(one, second)).isEqualTo(second);
        assertThat(claim(two, two.newId())).isEqualTo(second);
        one.loop.free(NAME, second);
        one.disconnect(1);
        run(100);
        one.connect();
        run(100);
        assertThat(holder()).as("freed by the next connection").isEmpty();
    }

    /** A claim that got no answer is not made later, when its stream may be over. */
    @Test
    void aLateClaimIsNoClaim() {
        String id = one.newId();
        var told = new AtomicInteger();
        assertThat(claim(one, id)).isEqualTo(id);
        one.loop.free(NAME, id);
        one.silence();
        one.loop.claim(NAME, one.newId(), holder -> told.incrementAndGet());
        run(1_500);
        one.connect();
        run(1_000);
        assertThat(told).hasValue(1);
        assertThat(holder()).isEmpty();
    }

    @Test
    void namesLiveAsLongAsTheirStream() {
        String id = one.newId();
        assertThat(claim(one, id)).isEqualTo(id);
        StreamLog log = one.begin(id);
        one.loop.answered("answer", id);
        run(100);
        assertThat(ofAnswer(two, "answer")).isEqualTo(id);
        assertThat(ofAnswer(two, "other")).isEqualTo("null");
        redis.flushAll();
        run(1_500);
        assertThat(ofAnswer(two, "answer")).as("written again").isEqualTo(id);
        assertThat(claim(two, two.newId())).as("written again").isEqualTo(id);
        run((int) Shipment.LIFE_MS + 60_000);
        assertThat(ofAnswer(two, "answer")).as("renewed").isEqualTo(id);
        ByteBuf bytes = Unpooled.copiedBuffer("data: 1\n\n", StandardCharsets.ISO_8859_1);
        log.append(bytes, 0, bytes.writerIndex());
        log.seal(Seal.CLEAN);
        run(100);
        assertThat(ofAnswer(two, "answer")).isEqualTo(id);
        one.loop.delete(id);
        run(100);
        assertThat(ofAnswer(two, "answer")).isEqualTo("null");
        assertThat(redis.keys()).noneMatch(key -> key.contains(id) || key.endsWith("scope"));
        log.close();
    }

    private String ofAnswer(FakeNode node, String name) {
        var told = new @Nullable String[1];
        node.loop.ofAnswer(name, id -> told[0] = String.valueOf(id));
        run(100);
        return String.valueOf(told[0]);
    }
}
