package io.millrace.server.upstream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millrace.server.config.Upstream;
import io.millrace.server.mock.MockConfig;
import io.millrace.server.mock.MockServer;
import io.millrace.server.timing.Sweeper;
import io.millrace.server.transport.Transport;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.handler.codec.http.HttpDecoderConfig;
import io.netty.resolver.AddressResolver;
import io.netty.resolver.AddressResolverGroup;
import io.netty.resolver.InetNameResolver;
import io.netty.util.concurrent.EventExecutor;
import io.netty.util.concurrent.Promise;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("sockets")
class UpstreamPoolTest {
    private static final long STEP_NS = TimeUnit.SECONDS.toNanos(6);

    private final Transport transport = Transport.best();
    private final EventLoopGroup group = transport.newEventLoops(1, "pool-test");
    private final EventLoop loop = group.next();
    private volatile List<String> addresses = List.of("127.0.0.1");
    private final AtomicInteger asked = new AtomicInteger();
    private MockServer mock;
    private Connector connector;
    private int sweeps;

    @BeforeEach
    void start() {
        mock = MockServer.start(MockConfig.defaults());
        connector = new Connector(transport, new ChangingAddresses());
    }

    @AfterEach
    void stop() {
        connector.close();
        mock.close();
        group.shutdownGracefully(0, 10, TimeUnit.SECONDS).awaitUninterruptibly();
    }

    @Test
    void makesRoomForAFreshConnectionByTheOldestIdleOne() throws Exception {
        UpstreamPool pool = pool(2);
        Http1Connection first = acquire(pool, false);
        Http1Connection second = acquire(pool, false);
        onLoop(first::giveBack);
        onLoop(second::giveBack);
        Http1Connection third = acquire(pool, true);
        assertThat(third).isNotIn(first, second);
        await().until(() -> !first.channel().isActive());
        assertThat(second.channel().isActive()).isTrue();
        assertThat(acquire(pool, false)).isSameAs(second);
        assertThat(refusal(pool)).isEqualTo(ConnectFailure.Kind.FULL);
    }

    @Test
    void givesAConnectionOfItsOwnToWhoTakesNoUsedOne() throws Exception {
        UpstreamPool pool = pool(2);
        Http1Connection idle = acquire(pool, false);
        onLoop(idle::giveBack);
        var own = new CompletableFuture<Http1Connection>();
        loop.execute(() -> pool.acquire(new Upstreams.Waiter() {
            @Override
            public boolean takesUsed() {
                return false;
            }

            @Override
            public void onCall(UpstreamCall call) {
                own.complete(((Http1Call) call).connection());
                call.release(0);
            }

            @Override
            public void onConnectFailure(ConnectFailure failure) {
                own.completeExceptionally(new AssertionError(failure));
            }
        }));
        Http1Connection used = own.get(5, TimeUnit.SECONDS);
        assertThat(used).isNotSameAs(idle);
        await().until(() -> !used.channel().isActive());
        assertThat(acquire(pool, false)).isSameAs(idle);
    }

    @Test
    void letsGoOfConnectionsToAnAddressThatTheNameHasNoMore() throws Exception {
        UpstreamPool pool = pool(5);
        Http1Connection idle = acquire(pool, false);
        Http1Connection busy = acquire(pool, false);
        onLoop(idle::giveBack);
        sweepSeveralTimes(pool);
        assertThat(idle.channel().isActive()).isTrue();
        addresses = List.of("127.0.0.2");
        sweepSeveralTimes(pool);
        await().until(() -> !idle.channel().isActive());
        assertThat(busy.channel().isActive()).isTrue();
        onLoop(busy::giveBack);
        await().until(() -> !busy.channel().isActive());
    }

    @Test
    void keepsConnectionsWhereTheNameCannotBeResolved() throws Exception {
        UpstreamPool pool = pool(5);
        Http1Connection idle = acquire(pool, false);
        onLoop(idle::giveBack);
        addresses = List.of();
        sweepSeveralTimes(pool);
        assertThat(acquire(pool, false)).isSameAs(idle);
    }

    @Test
    void keepsConnectionsToEachOfManyAddressesThatAreToldInTurn() throws Exception {
        UpstreamPool pool = pool(5);
        Http1Connection idle = acquire(pool, false);
        onLoop(idle::giveBack);
        long nowNs = System.nanoTime();
        for (int i = 1; i < 8; i++) {
            addresses = List.of("127.0.0." + (1 + i % 2));
            long atNs = nowNs + i * STEP_NS;
            onLoop(() -> pool.onSweep(atNs));
        }
        assertThat(acquire(pool, false)).isSameAs(idle);
    }

    @Test
    void keepsNothingOfWhatIsGone() throws Exception {
        UpstreamPool pool = pool(5);
        onLoop(pool::close);
        Http1Connection connection = acquire(pool, false);
        onLoop(connection::giveBack);
        await().until(() -> !connection.channel().isActive());
    }

    @Test
    void connectsACrowdInTurns() throws Exception {
        int crowd = 100;
        UpstreamPool pool = pool(crowd);
        var connected = new AtomicInteger();
        var atOnce = new CompletableFuture<Integer>();
        loop.execute(() -> {
            for (int i = 0; i < crowd; i++) {
                pool.acquireNew(waiter(outcome -> connected.incrementAndGet()));
            }
            atOnce.complete(asked.get());
        });
        assertThat(atOnce.get(5, TimeUnit.SECONDS))
                .as("connections begun at once")
                .isLessThan(crowd / 2);
        assertThat(refusal(pool)).as("those that wait count").isEqualTo(ConnectFailure.Kind.FULL);
        await().until(() -> connected.get() == crowd);
    }

    @Test
    void asksForNoAddressThatIsStillRemembered() {
        assertThat(TimeUnit.SECONDS.toNanos(Connector.MOST_TTL_S)).isLessThan(UpstreamPool.RESOLVE_NS);
    }

    @Test
    void idleConnectionsLeaveInAnyOrder() {
        var random = new Random(7);
        var idle = new IdleConnections();
        var model = new ArrayDeque<Http1Connection>();
        for (int i = 0; i < 20_000; i++) {
            if (random.nextInt(3) > 0 || model.isEmpty()) {
                Http1Connection connection = detached();
                idle.add(connection);
                model.addLast(connection);
            } else if (random.nextBoolean()) {
                assertThat(idle.pollNewest()).isSameAs(model.pollLast());
            } else {
                Http1Connection any = random.nextBoolean() || model.size() > 50 ? model.peekFirst() : model.peekLast();
                assertThat(idle.remove(any)).isTrue();
                assertThat(idle.remove(any)).isFalse();
                model.remove(any);
            }
            assertThat(idle.isEmpty()).isEqualTo(model.isEmpty());
            assertThat(idle.oldest()).isSameAs(model.peekFirst());
        }
        assertThat(idle.toList()).containsExactlyElementsOf(model);
    }

    /** Searching for each would take minutes. */
    @Test
    void manyThatCloseAtOnceAreNotSearchedFor() {
        var idle = new IdleConnections();
        var all = new ArrayList<Http1Connection>();
        for (int i = 0; i < 200_000; i++) {
            all.add(detached());
            idle.add(all.get(i));
        }
        var threads = ManagementFactory.getThreadMXBean();
        long startNs = threads.getCurrentThreadCpuTime();
        for (int i = all.size() - 1; i >= 0; i -= 2) {
            idle.remove(all.get(i));
        }
        all.forEach(idle::remove);
        assertThat(Duration.ofNanos(threads.getCurrentThreadCpuTime() - startNs))
                .isLessThan(Duration.ofSeconds(5));
        assertThat(idle.isEmpty()).isTrue();
    }

    private static Http1Connection detached() {
        return new Http1Connection(null, new ResponseDecoder(new HttpDecoderConfig()));
    }

    private UpstreamPool pool(int maxConnections) {
        var origin = new Origin(
                "up",
                "up.example",
                mock.port(),
                null,
                null,
                maxConnections,
                TimeUnit.HOURS.toNanos(1),
                2_000,
                Upstream.Http.DEFAULT);
        return new UpstreamPool(
                origin, connector, new Sweeper(loop, TimeUnit.HOURS.toNanos(1)), (upstream, tookNs) -> {});
    }

    private void sweepSeveralTimes(UpstreamPool pool) throws Exception {
        long nowNs = System.nanoTime();
        for (int i = 1; i < 5; i++) {
            long atNs = nowNs + (sweeps + i) * STEP_NS;
            onLoop(() -> pool.onSweep(atNs));
        }
        sweeps += 5;
    }

    private Http1Connection acquire(UpstreamPool pool, boolean fresh) throws Exception {
        return (Http1Connection) outcome(pool, fresh);
    }

    private Object refusal(UpstreamPool pool) throws Exception {
        return ((ConnectFailure) outcome(pool, false)).kind();
    }

    private Object outcome(UpstreamPool pool, boolean fresh) throws Exception {
        var outcome = new CompletableFuture<Object>();
        Upstreams.Waiter waiter = waiter(outcome::complete);
        loop.execute(() -> {
            if (fresh) {
                pool.acquireNew(waiter);
            } else {
                pool.acquire(waiter);
            }
        });
        return outcome.get(5, TimeUnit.SECONDS);
    }

    private static Upstreams.Waiter waiter(Consumer<Object> outcome) {
        return new Upstreams.Waiter() {
            @Override
            public void onCall(UpstreamCall call) {
                outcome.accept(((Http1Call) call).connection());
            }

            @Override
            public void onConnectFailure(ConnectFailure failure) {
                outcome.accept(failure);
            }
        };
    }

    private void onLoop(Runnable action) throws Exception {
        loop.submit(action).get(5, TimeUnit.SECONDS);
    }

    /** Resolves every name to what the addresses are at the time. */
    private final class ChangingAddresses extends AddressResolverGroup<InetSocketAddress> {
        @Override
        protected AddressResolver<InetSocketAddress> newResolver(EventExecutor executor) {
            return new InetNameResolver(executor) {
                @Override
                protected void doResolve(String name, Promise<InetAddress> promise) {
                    throw new UnsupportedOperationException("only all addresses are asked for");
                }

                @Override
                protected void doResolveAll(String name, Promise<List<InetAddress>> promise) throws Exception {
                    asked.incrementAndGet();
                    var resolved = new ArrayList<InetAddress>();
                    for (String address : addresses) {
                        resolved.add(InetAddress.getByName(address));
                    }
                    if (resolved.isEmpty()) {
                        promise.setFailure(new UnknownHostException(name));
                    } else {
                        promise.setSuccess(resolved);
                    }
                }
            }.asAddressResolver();
        }
    }
}
