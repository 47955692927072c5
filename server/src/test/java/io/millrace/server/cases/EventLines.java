package io.millrace.server.cases;

import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;

/** Reads a whole event stream by the rules of WHATWG HTML 9.2.6, in the simplest way. */
final class EventLines {
    private EventLines() {}

    /** Tells the name and data of each event that ends. */
    static void read(String stream, BiConsumer<String, String> onEvent) {
        String name = "";
        List<String> data = new ArrayList<>();
        String text = stream.startsWith("\uFEFF") ? stream.substring(1) : stream;
        String[] lines = text.split("\r\n|\r|\n", -1);
        for (int i = 0; i < lines.length - 1; i++) { // what stands behind the last end of a line is no line
            String line = lines[i];
            int colon = line.indexOf(':');
            String field = colon < 0 ? line : line.substring(0, colon);
            String value = colon < 0 ? "" : line.substring(colon + 1);
            value = value.startsWith(" ") ? value.substring(1) : value;
            if (line.isEmpty()) {
                if (!data.isEmpty()) {
                    onEvent.accept(name.isEmpty() ? "message" : name, String.join("\n", data));
                }
                name = "";
                data.clear();
            } else if (field.equals("data")) {
                data.add(value);
            } else if (field.equals("event")) {
                name = value;
            }
        }
    }
}
