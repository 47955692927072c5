package io.millrace.server.warmup;

/** The form of the JSON in a request and its answer, and the settings of the request. */
enum Style {
    /** Without spaces, and with usage. */
    COMPACT("{\"model\":\"%s\",\"stream\":true,\"max_tokens\":4096,\"stream_options\":{\"include_usage\":true},"
            + "\"messages\":[{\"role\":\"user\",\"content\":\"" + "x".repeat(1200) + "\"}]}") {
        @Override
        String write(String frame) {
            return frame;
        }
    },
    /** Python's default form, with the messages first. */
    SPACED("{\"messages\": [{\"role\": \"user\", \"content\": \"" + "x".repeat(200) + "\"}], \"model\": \"%s\", "
            + "\"temperature\": 0.5, \"stream\": true}") {
        @Override
        String write(String frame) {
            return spaced(frame);
        }
    };

    private final String body;

    Style(String body) {
        this.body = body;
    }

    /** The body of a request for this model. */
    String body(String model) {
        return body.formatted(model);
    }

    /** A frame of an answer in this style. The given frame has no spaces. */
    abstract String write(String frame);

    /** Adds a space after each colon and comma outside of strings. */
    private static String spaced(String frame) {
        int json = frame.indexOf('{');
        if (json < 0) {
            return frame;
        }
        var out = new StringBuilder(frame.substring(0, json));
        boolean inString = false;
        for (int at = json; at < frame.length(); at++) {
            char c = frame.charAt(at);
            out.append(c);
            if (c == '"' && frame.charAt(at - 1) != '\\') {
                inString = !inString;
            } else if (!inString && (c == ':' || c == ',')) {
                out.append(' ');
            }
        }
        return out.toString();
    }
}
