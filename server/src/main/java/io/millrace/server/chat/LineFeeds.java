package io.millrace.server.chat;

/** Makes LF of CR and CRLF, the only line end that an event stream can carry, also where a CRLF comes in two pieces. */
final class LineFeeds {
    private boolean afterCr;

    /** {@code text} with its line ends made LF. */
    String of(String text) {
        if (text.isEmpty() || (!afterCr && text.indexOf('\r') < 0)) {
            return text;
        }
        var out = new StringBuilder(text.length());
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '\r') {
                out.append('\n');
            } else if (c != '\n' || !afterCr) {
                out.append(c);
            }
            afterCr = c == '\r';
        }
        return out.toString();
    }
}
