package io.millrace.server.config;

/** The address of a listener. Its text is in the form that {@link #parse} reads. */
public sealed interface ListenAddress permits HostAndPort, UnixPath, PassedSocket {
    /**
     * Reads {@code unix:/path}, {@code systemd:NAME}, or what {@link HostAndPort#parse} reads.
     *
     * @throws IllegalArgumentException if it is none of these
     */
    static ListenAddress parse(String text) {
        if (text.startsWith(PassedSocket.SCHEME)) {
            return PassedSocket.parse(text);
        }
        return text.startsWith(UnixPath.SCHEME) ? UnixPath.parse(text) : HostAndPort.parse(text);
    }

    /** Whether only this machine can connect to it. */
    boolean isLocal();
}
