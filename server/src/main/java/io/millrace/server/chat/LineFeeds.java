package io.millrace.server.chat;

/** Replaces CR and CRLF by LF, the only line end that an event stream can carry. A CRLF may come in two pieces. */
final class LineFeeds {
    private boolean afterCr;

    /** {@code text} with LF line ends. */
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
