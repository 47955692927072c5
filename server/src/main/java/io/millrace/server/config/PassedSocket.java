package io.millrace.server.config;

/**
 * Listening sockets that a service manager opens and passes to the process.
 *
 * @param name that the service manager gives them: ASCII without colons and control characters, at most 255 characters
 */
record PassedSocket(String name) implements ListenAddress {
    /** Before the name in the address. */
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
