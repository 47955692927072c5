package io.millrace.server.config;

import java.util.Objects;

/**
 * Which HTTP an upstream is asked in.
 *
 * @param version of HTTP
 * @param streams requests at once on one connection of HTTP/2; the upstream may allow fewer
 */
public record UpstreamHttp(Version version, int streams) implements Settings<UpstreamHttp, UpstreamHttp.Builder> {
    /** HTTP/1.1; where HTTP/2 is asked for, 20 requests a connection. */
    public static final UpstreamHttp DEFAULT = Builders.build(UpstreamHttp.class, new Builder());

    public UpstreamHttp {
        Objects.requireNonNull(version, "version");
        Checks.range("http2.streams", streams, 1, 1000);
    }

    /** What a connection speaks. */
    public enum Version {
        /** HTTP/1.1. */
        HTTP_1_1("1.1"),
        /** Over TLS what the upstream chooses of the two by ALPN, else HTTP/1.1. */
        AUTO("auto"),
        /** HTTP/2: chosen by ALPN over TLS, known beforehand without TLS. */
        HTTP_2("2");

        private final String label;

        Version(String label) {
            this.label = label;
        }

        /** How it is written in a configuration. */
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
