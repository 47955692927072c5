package io.millrace.server.downstream;

import io.millrace.server.address.AddressDebts;
import io.millrace.server.address.AddressSet;
import io.millrace.server.address.ClientAddress;
import io.netty.handler.codec.http.HttpRequest;
import java.net.InetAddress;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Bounds the requests of an HTTP/2 client that cost the relay much and the client almost nothing: those that it cancels
 * as soon as they have begun, and those that the relay answers itself.
 *
 * <p>They are the debts of the client's address, so that another connection does not make them forgotten. An answer of
 * an upstream pays for one of them, and time pays for the rest. When an address has too many, a connection from there
 * has few requests, until upstreams have answered these. So the connections of other clients behind the same address
 * continue, and a new one begins slowly.
 *
 * <p>A request that waited longer than a second is not wasted: its client has lost its patience, as all do if an
 * upstream fails. Confined to the connection's event loop.
 */
final class RequestWaste {
    private static final long EARLY_NS = TimeUnit.SECONDS.toNanos(1);
    private static final long METER_NS = TimeUnit.SECONDS.toNanos(10);
    /** What one request needs, in parts. An answer of the relay itself costs about a quarter of what an upstream does. */
    private static final int REQUEST = 4;

    private static final int OWN_ANSWER = 1;
    /** The requests that a new connection has in any case. */
    private static final int AT_FIRST = 2;
    /** An answer lets the next request begin, and one more. */
    private static final int EARNED = 2;

    private final AddressDebts debts;
    private final AddressSet trusted;
    private final @Nullable InetAddress client;
    private final int mostEarly;
    private final int mostAllowance;
    private final long wasteNs;
    private final long connectionKey;

    private int allowance = AT_FIRST * REQUEST;
    private int early;
    private long meterSinceNs;

    RequestWaste(ConnectionContext context) {
        debts = context.debts();
        trusted = context.trusted();
        client = ClientAddress.of(context.channel());
        mostEarly = context.http2().prematureResets();
        mostAllowance = EARNED * REQUEST * context.http2().streams();
        int most = context.http2().wastedPerAddress();
        wasteNs = most == 0 ? 0 : AddressDebts.MOST_NS / most;
        connectionKey = most == 0 || trusted.contains(client) ? AddressDebts.NONE : AddressDebts.key(client);
    }

    /** Who a request counts for. Behind a trusted proxy this is the client that the proxy names, if it names one. */
    long key(HttpRequest request) {
        if (connectionKey != AddressDebts.NONE || wasteNs == 0) {
            return connectionKey;
        }
        InetAddress named = ClientAddress.of(client, request.headers(), trusted);
        return trusted.contains(named) ? AddressDebts.NONE : AddressDebts.key(named);
    }

    /** Whether {@code key} is one of several clients of this connection, which a trusted proxy names. */
    boolean isOneOfMany(long key) {
        return key != AddressDebts.NONE && connectionKey == AddressDebts.NONE;
    }

    /** Whether another request of {@code key} may begin. */
    boolean mayBegin(long key) {
        return allowance >= REQUEST || !debts.isOver(key);
    }

    /** A request has begun. */
    void onBegun() {
        allowance = Math.max(0, allowance - REQUEST);
    }

    /** A request of {@code key} is answered, by an upstream or by the relay itself. */
    void onAnswer(long key, boolean own) {
        if (own) {
            allowance += REQUEST - OWN_ANSWER;
            debts.add(key, wasteNs * OWN_ANSWER / REQUEST);
        } else {
            allowance += EARNED * REQUEST;
            debts.add(key, -wasteNs);
            early = Math.max(0, early - 1);
        }
        allowance = Math.min(allowance, mostAllowance);
    }

    /** A request of {@code key} that began at {@code beganNs} is over, and has no answer. */
    void onUnanswered(long key, long beganNs) {
        if (System.nanoTime() - beganNs < EARLY_NS) {
            debts.add(key, wasteNs);
        }
    }

    /**
     * The client cancels a request of {@code key} that has no answer. Behind a trusted proxy it has only its debts for
     * that, so that the other clients of the connection are not cut.
     *
     * @param beganNs when the request began
     * @return whether the client may go on
     */
    boolean onCancelled(long key, long beganNs) {
        long nowNs = System.nanoTime();
        if (isOneOfMany(key) || nowNs - beganNs >= EARLY_NS) {
            return true;
        }
        if (early == 0 || nowNs - meterSinceNs > METER_NS) {
            early = 0;
            meterSinceNs = nowNs;
        }
        early++;
        return early <= mostEarly;
    }
}
