package io.millrace.server.config;

import java.net.URI;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The host and port of a URL. Names may have underscores, as names of containers often do. {@link URI} would find
 * neither host nor port in such a URL.
 *
 * @param host as in the URL, IPv6 in brackets
 * @param port -1 if the URL names none
 */
public record Authority(String host, int port) {
    private static final Pattern NAME = Pattern.compile("([A-Za-z0-9._-]+)(?::([0-9]{0,5}))?");

    /** The authority of {@code url}, or null if it has no host. */
    public static @Nullable Authority of(URI url) {
        if (url.getHost() != null) {
            return new Authority(url.getHost(), url.getPort());
        }
        Matcher name = NAME.matcher(url.getRawAuthority() == null ? "" : url.getRawAuthority());
        if (!name.matches()) {
            return null;
        }
        boolean without = name.group(2) == null || name.group(2).isEmpty();
        return new Authority(name.group(1), without ? -1 : Integer.parseInt(name.group(2)));
    }

    /** The host in the form that a resolver takes: IPv6 without brackets. */
    public String name() {
        return host.startsWith("[") ? host.substring(1, host.length() - 1) : host;
    }
}
