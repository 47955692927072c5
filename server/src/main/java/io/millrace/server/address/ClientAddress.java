package io.millrace.server.address;

import io.netty.channel.Channel;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.util.AsciiString;
import io.netty.util.AttributeKey;
import io.netty.util.NetUtil;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The address of a client: the peer of its connection, or what the proxies in between say. Only trusted proxies are
 * believed.
 *
 * <p>It is for limits and logs. It does not prove who a client is.
 */
public final class ClientAddress {
    private static final AsciiString X_FORWARDED_FOR = AsciiString.cached("x-forwarded-for");
    private static final AsciiString FORWARDED = AsciiString.cached("forwarded");
    private static final int MAX_PROXIES = 10;
    /** An address from a PROXY head. */
    private static final AttributeKey<InetAddress> PROXIED = AttributeKey.valueOf(ClientAddress.class, "proxied");

    private ClientAddress() {}

    /**
     * The client of a connection: its peer, or the one that a PROXY head has named; null for a client of a unix socket.
     */
    public static @Nullable InetAddress of(Channel channel) {
        InetAddress proxied = channel.hasAttr(PROXIED) ? channel.attr(PROXIED).get() : null;
        return proxied != null ? proxied : peer(channel);
    }

    /** The peer of the connection; null for a client of a unix socket. */
    public static @Nullable InetAddress peer(Channel channel) {
        return channel.remoteAddress() instanceof InetSocketAddress remote ? remote.getAddress() : null;
    }

    static void proxied(Channel channel, InetAddress client) {
        channel.attr(PROXIED).set(client);
    }

    /**
     * The client of a request. If {@code connection} is a trusted proxy, {@code X-Forwarded-For} is read from its end.
     * Each trusted address names the one before it, up to ten. A request without {@code X-Forwarded-For} may have
     * {@code Forwarded} (RFC 7239), which is read in the same way. Reading stops at a part that is not an address.
     *
     * @param connection the client of the connection
     * @param trusted the proxies that are believed
     * @return the first address that is not trusted, or else the last that could be read; null for a unix socket
     */
    public static @Nullable InetAddress of(@Nullable InetAddress connection, HttpHeaders headers, AddressSet trusted) {
        if (!trusted.contains(connection)) {
            return connection;
        }
        List<String> lines = headers.getAll(X_FORWARDED_FOR);
        boolean standard = lines.isEmpty();
        if (standard) {
            lines = headers.getAll(FORWARDED);
        }
        InetAddress client = connection;
        int read = 0;
        for (int line = lines.size() - 1; line >= 0; line--) {
            String value = lines.get(line);
            int end = value.length();
            while (end >= 0) {
                // A part of an element that was cut at a comma inside quotes is not an address, so quotes need not be
                // parsed.
                int comma = value.lastIndexOf(',', end - 1);
                String element = value.substring(comma + 1, end).trim();
                end = comma;
                InetAddress next = standard ? ForwardedElement.of(element) : ForwardedElement.node(element);
                if (next == null || ++read > MAX_PROXIES) {
                    return client;
                }
                client = next;
                if (!trusted.contains(client)) {
                    return client;
                }
            }
        }
        return client;
    }

    /** The address as logs write it: IPv6 in its shortest form, and {@code unix} for null. */
    public static String text(@Nullable InetAddress address) {
        return address == null ? "unix" : NetUtil.toAddressString(address);
    }
}
