package io.millrace.server.config;

/** Where a listener listens. Its text is what {@link #parse} reads. */
public sealed interface ListenAddress permits HostAndPort, UnixPath {
    /**
     * Reads {@code unix:/path}, or what {@link HostAndPort#parse} reads.
     *
     * @throws IllegalArgumentException if it is neither
     */
    static ListenAddress parse(String text) {
        return text.startsWith(UnixPath.SCHEME) ? UnixPath.parse(text) : HostAndPort.parse(text);
    }

    /** Whether only this machine can connect to it. */
    boolean isLocal();
}
