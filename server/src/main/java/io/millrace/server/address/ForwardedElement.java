package io.millrace.server.address;

import java.net.InetAddress;
import org.jspecify.annotations.Nullable;

/** The part of a field in which one proxy names the client before it. */
final class ForwardedElement {
    private static final String FOR = "for=";

    private ForwardedElement() {}

    /** The address behind {@code for=} in an element of {@code Forwarded}; null if there is none, or more than one. */
    static @Nullable InetAddress of(String element) {
        String found = null;
        for (String pair : element.split(";", -1)) {
            String trimmed = pair.trim();
            if (trimmed.regionMatches(true, 0, FOR, 0, FOR.length())) {
                if (found != null) {
                    return null;
                }
                found = trimmed.substring(FOR.length());
            }
        }
        return found == null ? null : quoted(found);
    }

    /**
     * A token can only be an IPv4 address, because colons and brackets need quotes. Values without these quotes are
     * accepted.
     */
    private static @Nullable InetAddress quoted(String value) {
        boolean begins = value.startsWith("\"");
        boolean ends = value.length() > 1 && value.endsWith("\"");
        if (begins != ends) {
            return null;
        }
        return node(begins ? value.substring(1, value.length() - 1) : value);
    }

    /** The address in {@code 192.0.2.1}, {@code 192.0.2.1:80}, {@code 2001:db8::1}, {@code [2001:db8::1]:80}; else null. */
    static @Nullable InetAddress node(String text) {
        if (text.isEmpty()) {
            return null;
        }
        if (text.charAt(0) == '[') {
            int end = text.indexOf(']');
            boolean whole = end > 0 && isPortOrNothing(text, end + 1);
            InetAddress address = whole ? AddressText.parse(text.substring(1, end)) : null;
            return whole && AddressText.isV6(text.substring(1, end)) ? address : null;
        }
        int colon = text.indexOf(':');
        boolean v4WithPort = colon > 0 && text.indexOf(':', colon + 1) < 0;
        if (v4WithPort) {
            return isPortOrNothing(text, colon) ? AddressText.parse(text.substring(0, colon)) : null;
        }
        return AddressText.parse(text);
    }

    private static boolean isPortOrNothing(String text, int colon) {
        if (colon == text.length()) {
            return true;
        }
        int length = text.length() - colon - 1;
        boolean port = text.charAt(colon) == ':' && length > 0 && length <= 5;
        for (int i = colon + 1; i < text.length(); i++) {
            port &= text.charAt(i) >= '0' && text.charAt(i) <= '9';
        }
        return port;
    }
}
