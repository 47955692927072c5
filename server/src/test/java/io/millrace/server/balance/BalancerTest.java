package io.millrace.server.balance;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.server.config.Health;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class BalancerTest {
    private static final int KEYS = 20_000;
    private static final long DEADLINE_NS = TimeUnit.SECONDS.toNanos(600);

    private final SplittableRandom random = new SplittableRandom(11);
    private long nowNs = 1;

    @Test
    void picksFromEveryOriginWhileNothingIsKnown() {
        var origins = origins(4);

        var picked = new int[4];
        for (int i = 0; i < 4000; i++) {
            picked[origins.indexOf(Balancer.pick(origins, Balancer.NONE, nowNs, random))]++;
        }

        assertThat(Arrays.stream(picked).boxed())
                .allSatisfy(count -> assertThat(count).isBetween(900, 1100));
    }

    @Test
    void picksTheOneWithLessInHand() {
        var origins = origins(2);
        origins.get(0).onStart(nowNs);

        for (int i = 0; i < 100; i++) {
            assertThat(Balancer.pick(origins, Balancer.NONE, nowNs, random)).isSameAs(origins.get(1));
        }
    }

    @Test
    void picksAnotherThanTheExcluded() {
        var origins = origins(3);

        for (int i = 0; i < 100; i++) {
            assertThat(Balancer.pick(origins, only(1), nowNs, random)).isNotSameAs(origins.get(1));
            assertThat(Balancer.pickByHash(i, origins, only(1), nowNs)).isNotSameAs(origins.get(1));
        }
    }

    @Test
    void picksNoneWhenNoOtherTakesRequests() {
        var origins = origins(2);
        eject(origins.get(1));

        assertThat(Balancer.pick(origins, only(0), nowNs, random)).isNull();
        assertThat(Balancer.pickByHash(1, origins, only(0), nowNs)).isNull();
        assertThat(Balancer.pick(origins, Balancer.NONE, nowNs, random)).isSameAs(origins.get(0));
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 5})
    void picksAmongAllWhenAllAreEjected(int count) {
        var origins = origins(count);
        origins.forEach(this::eject);

        var picked = new ArrayList<OriginState>();
        for (int i = 0; i < 500; i++) {
            picked.add(Balancer.pick(origins, Balancer.NONE, nowNs, random));
            picked.add(Balancer.pickByHash(random.nextLong(), origins, Balancer.NONE, nowNs));
        }

        assertThat(Balancer.anyAdmits(origins, nowNs)).isFalse();
        assertThat(picked).doesNotContainNull().containsAll(origins);
    }

    @Test
    void hashSpreadsKeysEvenly() {
        var origins = origins(5);

        var counts = new int[5];
        for (var origin : byHash(origins)) {
            counts[origins.indexOf(origin)]++;
        }

        assertThat(Arrays.stream(counts).boxed())
                .allSatisfy(count -> assertThat(count).isBetween(KEYS * 18 / 100, KEYS * 22 / 100));
    }

    @Test
    void onlyTheKeysOfAnOriginThatLeavesMoveAndTheyComeBack() {
        var origins = origins(5);
        var before = byHash(origins);
        var leaving = origins.get(2);
        eject(leaving);

        var without = byHash(origins);

        int moved = 0;
        for (int key = 0; key < KEYS; key++) {
            if (before.get(key) == leaving) {
                assertThat(without.get(key)).isNotSameAs(leaving);
                moved++;
            } else {
                assertThat(without.get(key)).isSameAs(before.get(key));
            }
        }
        assertThat(moved).isBetween(KEYS * 18 / 100, KEYS * 22 / 100);
        nowNs += TimeUnit.SECONDS.toNanos(5);
        succeed(leaving);
        assertThat(byHash(origins)).isEqualTo(before);
    }

    @Test
    void orderOfOriginsDoesNotMatterToTheHash() {
        var origins = origins(5);
        var reversed = new ArrayList<>(origins);
        Collections.reverse(reversed);

        assertThat(byHash(reversed)).isEqualTo(byHash(origins));
    }

    /** Figures of another process: a hash that changed would scatter every cache at an update. */
    @Test
    void hashIsTheSameInEveryProcess() {
        assertThat(KeyHash.of("session-1")).isEqualTo(-979625607882798305L);
        var origins = origins(5);
        assertThat(byHash(origins).subList(0, 12).stream().map(origins::indexOf))
                .containsExactly(4, 3, 3, 4, 1, 2, 4, 1, 0, 4, 1, 3);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            {"model":"a","messages":[{"role":"system","content":"You are X. Q1"}]} | {"model":"b","temperature":1,"messages":[{"role":"system","content":"You are X. Q2"}]}
            {"model":"a","prompt":"Once upon a time there was one"}   | {"model":"b","prompt":"Once upon a time there was two"}
            {"input": "Once upon a time there was a third"}           | {"stream":true,"input": "Once upon a time there was a fourth"}
            {"contents":[{"parts":[{"text":"Once upon"}]}]}           | {"x":"\\"messages\\":","contents":[{"parts":[{"text":"Once up"}]}]}
            """)
    void sameBeginningOfPromptGivesSameHash(String one, String other) {
        assertThat(KeyHash.ofPrompt(bytes(one), 24)).isEqualTo(KeyHash.ofPrompt(bytes(other), 24));
        assertThat(KeyHash.ofPrompt(bytes(one), 4096)).isNotEqualTo(KeyHash.ofPrompt(bytes(other), 4096));
    }

    @Test
    void bodyWithoutPromptIsHashedFromItsFirstByte() {
        assertThat(KeyHash.ofPrompt(bytes("abcd"), 3)).isEqualTo(KeyHash.ofPrompt(bytes("abcx"), 3));
        assertThat(KeyHash.ofPrompt(bytes("abcd"), 4)).isNotEqualTo(KeyHash.ofPrompt(bytes("abcx"), 4));
        assertThat(KeyHash.ofPrompt(bytes("\""), 4)).isNotEqualTo(KeyHash.ofPrompt(bytes(""), 4));
    }

    @Test
    void picksOnlyTheOneThatIsNotExcluded() {
        var origins = origins(70);
        long allButOne = Balancer.NONE;
        for (int i = 0; i < origins.size(); i++) {
            allButOne = i == 5 ? allButOne : Balancer.with(allButOne, i);
        }

        assertThat(Balancer.pick(origins, allButOne, nowNs, random)).isSameAs(origins.get(5));
        assertThat(Balancer.pickByHash(7, origins, allButOne, nowNs)).isSameAs(origins.get(5));
        assertThat(Balancer.pick(origins, Balancer.with(allButOne, 5), nowNs, random))
                .isNull();
    }

    private static long only(int index) {
        return Balancer.with(Balancer.NONE, index);
    }

    private List<OriginState> byHash(List<OriginState> origins) {
        var picked = new ArrayList<OriginState>();
        for (int key = 0; key < KEYS; key++) {
            picked.add(Balancer.pickByHash(KeyHash.of("key-" + key), origins, Balancer.NONE, nowNs));
        }
        return picked;
    }

    private void eject(OriginState origin) {
        for (int i = 0; i < 5; i++) {
            origin.onStart(nowNs).onFailure(nowNs, DEADLINE_NS);
        }
        assertThat(origin.admits(nowNs)).isFalse();
    }

    private void succeed(OriginState origin) {
        origin.onStart(nowNs).onSuccess(nowNs);
    }

    private static List<OriginState> origins(int count) {
        var percentile = new TtftPercentile();
        var origins = new ArrayList<OriginState>();
        for (int i = 0; i < count; i++) {
            origins.add(new OriginState("http://10.0.0." + i + ":8000", Health.DEFAULT, percentile));
        }
        return origins;
    }

    private static ByteBuf bytes(String text) {
        return Unpooled.wrappedBuffer(text.getBytes(StandardCharsets.UTF_8));
    }
}
