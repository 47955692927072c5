package io.millrace.server.downstream;

import io.millrace.server.address.AddressCounts;
import io.millrace.server.address.AddressDebts;
import io.millrace.server.address.AddressSet;
import io.millrace.server.config.Limits;
import io.millrace.server.memory.Machine;
import io.netty.channel.Channel;
import java.net.InetAddress;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Decides whether one more client can be served. A client may also need a descriptor for its upstream, so the limit is
 * below half of the process's descriptors. And half of the heap must have room for the objects of all clients.
 */
public final class Admission {
    private static final int MOST_CONNECTIONS = 20_000;
    private static final double SHARE_OF_DESCRIPTORS = 0.45;
    private static final int SHARE_OF_HEAP = 2;
    /** The heap of a stream and its two connections. They need 5 to 10 KiB. */
    private static final long HEAP_OF_A_CLIENT = 12 * 1024;

    private final LongSupplier openConnections;
    private final Supplier<Limits> limits;
    private final long places = Math.min(MOST_CONNECTIONS, places());

    private final AddressCounts byAddress = new AddressCounts();
    private final AddressDebts debts = new AddressDebts(System::nanoTime);
    private final Refusals refusals = new Refusals();

    public Admission(LongSupplier openConnections, Supplier<Limits> limits) {
        this.openConnections = openConnections;
        this.limits = limits;
    }

    /** Whether the limit leaves room for another client. */
    boolean admits() {
        int configured = limits.get().connections();
        return openConnections.getAsLong() < (configured > 0 ? configured : places);
    }

    /**
     * Whether the limit of {@code client}'s address allows its connection. If so, the connection holds a place until
     * it is closed.
     *
     * @param exempt addresses that have no limit
     */
    boolean admits(Channel connection, @Nullable InetAddress client, AddressSet exempt) {
        AddressCounts.Place place = byAddress.take(client, exempt, limits.get().connectionsPerAddress());
        if (place == null) {
            return false;
        }
        if (place.isCounted()) {
            connection.closeFuture().addListener(closed -> place.giveBack());
        }
        return true;
    }

    /** What the addresses of clients have wasted. */
    AddressDebts debts() {
        return debts;
    }

    /** Answers a connection that was not admitted, which has no TLS, with 503, and closes it. */
    void refuse(Channel connection) {
        refusals.refuse(connection);
    }

    /** The number of clients for which, with their upstreams, the process has descriptors and heap. */
    public static long places() {
        long descriptors = Machine.maxDescriptors();
        return places(
                descriptors < 0 ? Long.MAX_VALUE : descriptors,
                Runtime.getRuntime().maxMemory());
    }

    static long places(long descriptors, long heap) {
        return (long) Math.min(descriptors * SHARE_OF_DESCRIPTORS, (double) heap / SHARE_OF_HEAP / HEAP_OF_A_CLIENT);
    }
}
