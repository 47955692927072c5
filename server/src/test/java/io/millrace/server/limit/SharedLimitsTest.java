package io.millrace.server.limit;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.server.config.ClientSettings.ClientLimits;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The arithmetic of several nodes, with a store that computes what the script in Redis does, and a time of its own. */
class SharedLimitsTest {
    private static final long MS = TimeUnit.MILLISECONDS.toNanos(1);
    private static final long SECOND = TimeUnit.SECONDS.toNanos(1);
    private static final long NOON = Instant.parse("2027-01-31T12:00:00Z").toEpochMilli();
    private static final int TELL_MS = 100;
    private static final int GAP_MS = 5;

    private final Map<String, Long> store = new HashMap<>();
    private long nowNs = System.nanoTime() + TimeUnit.HOURS.toNanos(1);
    private long ms;

    private final class Node {
        final SharedLimits limits = new SharedLimits(2);
        final ClientUses uses = new ClientUses(() -> 1_000_000, limits);
        final ClientUse use;
        private boolean hurried;
        private long toldAtMs;

        Node(ClientLimits its) {
            use = uses.of("web", its);
            limits.onHurry(() -> hurried = true);
            limits.onUp(nowNs);
            tell();
        }

        /** Whether a request was granted. */
        boolean ask() {
            var permit = new Permit(use);
            boolean granted = permit.begin(nowNs) == null;
            permit.end(0, 0, nowNs);
            return granted;
        }

        /** How many of so many requests at once were granted. */
        int ask(int requests) {
            int granted = 0;
            for (int i = 0; i < requests; i++) {
                granted += ask() ? 1 : 0;
            }
            return granted;
        }

        void tellIfDue() {
            if (limits.isUp() && (ms - toldAtMs >= TELL_MS || (hurried && ms - toldAtMs >= GAP_MS))) {
                tell();
            }
        }

        void tell() {
            toldAtMs = ms;
            hurried = false;
            for (SharedChange change : limits.next(nowNs, NOON)) {
                change.answer().total(add(change), nowNs);
            }
        }
    }

    /** What the script does, in nanoseconds. */
    private long add(SharedChange change) {
        Long old = store.get(change.key());
        if (change.kind() == SharedChange.Kind.BUDGET) {
            store.put(change.key(), (old == null ? change.floor() : old) + change.delta());
            return store.get(change.key());
        }
        if (old != null && old + 2 * SECOND < nowNs) {
            old = null; // expired
        }
        long since = nowNs - change.span();
        long full = old == null ? Math.max(nowNs + change.floor(), since) : old;
        if (change.delta() > 0) {
            full = Math.max(full, since);
        }
        full += change.delta();
        store.put(change.key(), full);
        return full - nowNs;
    }

    private void pass(long millis) {
        ms += millis;
        nowNs += millis * MS;
    }

    private List<Node> nodes(int number, ClientLimits limits) {
        var nodes = new ArrayList<Node>();
        for (int i = 0; i < number; i++) {
            pass(TELL_MS / number);
            nodes.add(new Node(limits));
        }
        return nodes;
    }

    private static ClientLimits limits(double perSecond, int burst) {
        return ClientLimits.DEFAULT.with(l -> l.requestsPerSecond = perSecond).with(l -> l.burst = burst);
    }

    /** However many ask at however many nodes, they get together what one node would give, and little more. */
    @ParameterizedTest
    @CsvSource({
        "2, 50, 200, 5",
        "2, 1000, 10, 5",
        "3, 100, 100, 5",
        "2, 10, 1, 5",
        "2, 50, 200, 0.75",
        "4, 200, 50, 0.5"
    })
    void nodesTogetherGrantOneLimit(int number, double perSecond, int burst, double times) {
        List<Node> nodes = nodes(number, limits(perSecond, burst));
        int seconds = 30;
        int granted = 0;
        double due = 0;
        for (int i = 0; i < seconds * 1000; i++) {
            due += perSecond * times / 1000;
            for (; due >= 1; due--) {
                for (Node node : nodes) {
                    granted += node.ask() ? 1 : 0;
                }
            }
            nodes.forEach(Node::tellIfDue);
            pass(1);
        }
        double limit = burst + perSecond * seconds;
        // As docs/edge.md promises: what the others grant until they hear of it, and a tenth of a second.
        double early = burst / 20.0 + 1 + perSecond * times * (GAP_MS + 1) / 1000;
        double overshoot = (number - 1) * Math.min(burst, early) + perSecond * TELL_MS / 1000;
        assertThat((double) granted).isBetween(limit * 0.97 - 1, limit + overshoot + 1);
    }

    /** What is told afterwards and in one sum is not taken for a burst. */
    @Test
    void oneNodeBelowItsLimitIsNeverRefused() {
        Node node = nodes(2, limits(1000, 10)).get(0);
        for (int i = 0; i < 5_000; i++) {
            if (i % 2 == 0) {
                assertThat(node.ask()).as("request %d", i).isTrue();
            }
            node.tellIfDue();
            pass(1);
        }
    }

    @Test
    void aBurstAtAllNodesAtOnceIsADebt() {
        List<Node> nodes = nodes(2, limits(10, 100));
        assertThat(nodes.get(0).ask(150)).isEqualTo(100);
        assertThat(nodes.get(1).ask(150)).isEqualTo(100);
        nodes.forEach(Node::tell);
        nodes.get(0).use.onBudgetsChanged(nowNs);
        pass(1);
        nodes.forEach(Node::tell);
        int granted = 0;
        for (int i = 0; i < 100; i++) {
            granted += nodes.get(0).ask(1) + nodes.get(1).ask(1);
            nodes.forEach(Node::tell);
            pass(99);
        }
        assertThat(granted).as("in ten seconds, in which the debt refills").isLessThanOrEqualTo(2);
    }

    @Test
    void eachNodeHasItsPartWhileTheStoreIsDown() {
        List<Node> nodes = nodes(2, limits(10, 100));
        nodes.forEach(node -> node.limits.onDown());
        assertThat(nodes.get(0).ask(150)).isEqualTo(50);
        assertThat(nodes.get(1).ask(150)).isEqualTo(50);
        pass(2_000);
        assertThat(nodes.get(0).ask(150)).isEqualTo(10);
        assertThat(nodes.get(1).ask(150)).isEqualTo(10);
        pass(1_000);
        for (Node node : nodes) {
            node.limits.onUp(nowNs);
            node.tell();
        }
        nodes.forEach(Node::tell);
        int granted = nodes.get(0).ask(150);
        assertThat(granted).as("what refilled in one second").isBetween(9, 11);
        assertThat(nodes.get(0).limits.losses()).isEqualTo(1);
    }

    /** A bucket that has long refilled is no debt when the store comes back. */
    @Test
    void onlyWhatIsMissingIsToldAfterwards() {
        List<Node> nodes = nodes(2, limits(100, 10));
        Node node = nodes.get(0);
        node.limits.onDown();
        for (int i = 0; i < 1_000; i++) {
            node.ask();
            pass(50);
        }
        pass(1_000);
        node.limits.onUp(nowNs);
        node.tell();
        assertThat(node.ask(20)).isEqualTo(10);
    }

    @Test
    void aStoreThatLostItsDataGetsThemBack() {
        List<Node> nodes = nodes(2, limits(1, 100));
        assertThat(nodes.get(0).ask(100)).isEqualTo(100);
        nodes.get(0).tell();
        pass(10);
        nodes.get(1).ask(1);
        nodes.get(1).tell();
        store.clear();
        pass(100);
        nodes.get(1).ask(1);
        nodes.get(0).use.onBudgetsChanged(nowNs);
        nodes.forEach(Node::tell);
        assertThat(nodes.get(0).ask(10) + nodes.get(1).ask(10)).isZero();
    }

    @Test
    void tokensThatWereNotUsedComeBackOnAllNodes() {
        var limits = limits(0, 1).with(l -> l.tokensPerMinute = 6_000).with(l -> l.tokensPerDay = 9_000);
        List<Node> nodes = nodes(2, limits);
        var permit = new Permit(nodes.get(0).use);
        assertThat(permit.begin(nowNs)).isNull();
        assertThat(permit.reserve(4, 5_000, nowNs, NOON)).isNull();
        nodes.get(0).tell();
        nodes.get(1).use.onBudgetsChanged(nowNs);
        nodes.get(1).tell();
        assertThat(left(nodes.get(1))).isEqualTo(998);
        permit.end(100, 400, nowNs);
        nodes.get(0).tell();
        nodes.get(1).use.onBudgetsChanged(nowNs);
        nodes.get(1).tell();
        assertThat(left(nodes.get(0))).isEqualTo(5_500);
        assertThat(left(nodes.get(1))).isEqualTo(5_500);
        assertThat(nodes.get(1).use.day().at(NOON).used()).isEqualTo(500);
    }

    private long left(Node node) {
        return node.use.tokens().remaining(node.use.rates().tokens(), nowNs);
    }

    @Test
    void aBudgetIsThatOfAllNodes() {
        var limits = limits(0, 1).with(l -> l.tokensPerDay = 1_000);
        List<Node> nodes = nodes(2, limits);
        use(nodes.get(0), 600);
        nodes.get(0).tell();
        use(nodes.get(1), 300);
        nodes.get(1).tell();
        assertThat(nodes.get(1).use.day().at(NOON).used()).isEqualTo(900);
        nodes.forEach(node -> node.limits.onDown());
        // Node 1 takes node 0 to use as much as itself from now on: the rest of 100 is shared.
        use(nodes.get(1), 50);
        var refused = new Permit(nodes.get(1).use);
        assertThat(refused.begin(nowNs)).isNull();
        assertThat(refused.reserve(4, 1, nowNs, NOON).code()).isEqualTo("insufficient_quota");
        nodes.get(1).limits.onUp(nowNs);
        nodes.get(1).tell();
        assertThat(store).containsValue(950L);
    }

    private void use(Node node, long tokens) {
        var permit = new Permit(node.use);
        assertThat(permit.begin(nowNs)).isNull();
        assertThat(permit.reserve(4, tokens, nowNs, NOON)).isNull();
        permit.end(0, tokens, nowNs);
    }

    @Test
    void whatTheStoreRefusedIsToldAgain() {
        Node node = nodes(2, limits(10, 100)).get(0);
        node.ask(7);
        node.limits.next(nowNs, NOON).forEach(change -> change.answer().refused());
        node.ask(1);
        assertThat(node.limits.next(nowNs, NOON).get(0).delta()).isEqualTo(8 * SECOND / 10);
    }
}
