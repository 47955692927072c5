package io.millrace.server.config;

import java.nio.charset.StandardCharsets;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** The address of a listener. Its text is in the form that {@link #parse} reads. */
public sealed interface ListenAddress {
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

    /**
     * A TCP address to listen on. Port 0 asks the system for a free one.
     *
     * @param host a name or an address, IPv6 without brackets
     * @param port 0 to 65535
     */
    record HostAndPort(String host, int port) implements ListenAddress {
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

    /**
     * A unix socket to listen on.
     *
     * @param path an absolute path of at most {@value #MOST_BYTES} bytes, because the kernel accepts little more
     */
    record UnixPath(Path path) implements ListenAddress {
        /** The prefix of the path in the address. */
        static final String SCHEME = "unix:";

        private static final int MOST_BYTES = 100;

        public UnixPath {
            int bytes = path.toString().getBytes(StandardCharsets.UTF_8).length;
            if (!path.isAbsolute() || path.getFileName() == null) {
                throw new IllegalArgumentException(
                        "'" + SCHEME + path + "' (expected: such as unix:/run/millrace.sock)");
            }
            if (bytes > MOST_BYTES) {
                throw new IllegalArgumentException("'" + SCHEME + path + "' has " + bytes
                        + " bytes (expected: a path of at most " + MOST_BYTES + ")");
            }
        }

        /**
         * Reads {@code unix:/run/millrace.sock}.
         *
         * @throws IllegalArgumentException if it is no such address
         */
        static UnixPath parse(String text) {
            try {
                return new UnixPath(Path.of(text.substring(SCHEME.length())));
            } catch (InvalidPathException e) {
                throw new IllegalArgumentException("'" + text + "' (expected: such as unix:/run/millrace.sock)", e);
            }
        }

        /** Every process that may open the socket's file may connect. */
        @Override
        public boolean isLocal() {
            return true;
        }

        @Override
        public String toString() {
            return SCHEME + path;
        }
    }

    /**
     * Listening sockets that a service manager opens and passes to the process.
     *
     * @param name the name from the service manager: ASCII without colons and control characters, at most 255
     *     characters
     */
    record PassedSocket(String name) implements ListenAddress {
        /** The prefix of the name in the address. */
        static final String SCHEME = "systemd:";

        private static final int MOST_CHARACTERS = 255;

        public PassedSocket {
            boolean plain = !name.isEmpty() && name.length() <= MOST_CHARACTERS;
            for (int i = 0; i < name.length(); i++) {
                char c = name.charAt(i);
                plain &= c > ' ' && c < 0x7f && c != ':';
            }
            if (!plain) {
                throw new IllegalArgumentException(
                        "'" + SCHEME + name + "' (expected: systemd: and a FileDescriptorName, such as systemd:web)");
            }
        }

        /**
         * Reads {@code systemd:web}.
         *
         * @throws IllegalArgumentException if it is no such address
         */
        static PassedSocket parse(String text) {
            return new PassedSocket(text.substring(SCHEME.length()));
        }

        /** The real address is not known before the start. */
        @Override
        public boolean isLocal() {
            return false;
        }

        @Override
        public String toString() {
            return SCHEME + name;
        }
    }
}
