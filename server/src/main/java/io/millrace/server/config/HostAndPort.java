package io.millrace.server.config;

import org.jspecify.annotations.Nullable;

/**
 * A TCP address to listen on. Port 0 asks the system for a free one.
 *
 * @param host a name or an address, IPv6 without brackets
 * @param port 0 to 65535
 */
public record HostAndPort(String host, int port) implements ListenAddress {
    public HostAndPort {
        Checks.notBlank("host", host);
        Checks.range("port", port, 0, 65535);
    }

    /**
     * Reads {@code 127.0.0.1:8080}, {@code [::1]:8080} or {@code localhost:8080}; {@code 8080} alone is 127.0.0.1 and
     * {@code :8080} is every IPv4 address of the machine, 0.0.0.0.
     *
     * @throws IllegalArgumentException if it is none of these
     */
    public static HostAndPort parse(String text) {
        int colon = text.lastIndexOf(':');
        String host = colon < 0 ? "127.0.0.1" : text.substring(0, colon);
        String port = text.substring(colon + 1);
        if (host.startsWith("[") && host.endsWith("]")) {
            host = host.substring(1, host.length() - 1);
        } else if (host.indexOf(':') >= 0) {
            throw invalid(text, null);
        }
        try {
            return new HostAndPort(host.isEmpty() ? "0.0.0.0" : host, Integer.parseInt(port));
        } catch (IllegalArgumentException e) {
            throw invalid(text, e);
        }
    }

    /** Whether only this machine can connect to it. A name counts only if it is {@code localhost}. */
    public boolean isLoopback() {
        return host.equalsIgnoreCase("localhost")
                || host.matches("127(\\.\\d{1,3}){3}")
                || host.matches("(0{0,4}:){1,7}0{0,3}1");
    }

    @Override
    public boolean isLocal() {
        return isLoopback();
    }

    /** As {@link #parse} reads it, IPv6 in brackets. */
    @Override
    public String toString() {
        return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + port;
    }

    private static IllegalArgumentException invalid(String text, @Nullable Throwable cause) {
        return new IllegalArgumentException(
                "'" + text + "' (expected: an address such as 127.0.0.1:8080 or [::1]:8080)", cause);
    }
}
