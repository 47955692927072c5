package io.millrace.server.config;

import java.util.Objects;

/**
 * The version of HTTP for an upstream.
 *
 * @param version of HTTP
 * @param streams requests at once on one connection of HTTP/2; the upstream may allow fewer
 */
public record UpstreamHttp(Version version, int streams) implements Settings<UpstreamHttp, UpstreamHttp.Builder> {
    /** HTTP/1.1. With HTTP/2, 20 requests on a connection. */
    public static final UpstreamHttp DEFAULT = Builders.build(UpstreamHttp.class, new Builder());

    public UpstreamHttp {
        Objects.requireNonNull(version, "version");
        Checks.range("http2.streams", streams, 1, 1000);
    }

    /** The version that a connection uses. */
    public enum Version {
        /** HTTP/1.1. */
        HTTP_1_1("1.1"),
        /** With TLS the version that the upstream chooses by ALPN, else HTTP/1.1. */
        AUTO("auto"),
        /** HTTP/2: chosen by ALPN with TLS, assumed without TLS. */
        HTTP_2("2");

        private final String label;

        Version(String label) {
            this.label = label;
        }

        /** The text in a configuration. */
        public String label() {
            return label;
        }
    }

    /** The components by name; the values of a new one are the defaults. */
    public static final class Builder {
        public Version version = Version.HTTP_1_1;
        public int streams = 20;
    }
}
