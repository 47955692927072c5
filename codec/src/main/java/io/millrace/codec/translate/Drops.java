package io.millrace.codec.translate;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * Collects the parts of one request that are left out, to report them to the client. Each name is there once, and there
 * are {@value #MOST} at most.
 */
final class Drops {
    static final int MOST = 32;
    private static final int MAX_NAME = 64;
    private static final Pattern PLACE = Pattern.compile("\\[\\d+]");

    private static final Pattern UNSAFE = Pattern.compile("[^A-Za-z0-9_.:-]");

    private final Map<String, String> paths = new LinkedHashMap<>();

    /** Adds a field. Its name is its path without the indices of arrays. */
    void field(String path) {
        if (paths.size() < MOST) {
            paths.putIfAbsent(safe(PLACE.matcher(path).replaceAll("")), path);
        }
    }

    /** Adds a tool that only its provider runs. */
    void tool(Tool.Hosted tool) {
        if (paths.size() < MOST) {
            paths.putIfAbsent(safe(tool.type()), tool.path());
        }
    }

    /** The parts, in the order in which they were added. */
    List<DroppedField> all() {
        List<DroppedField> all = new ArrayList<>();
        paths.forEach((name, path) -> all.add(new DroppedField(name, path)));
        return all;
    }

    /** Makes a name safe: clients choose names, and this one becomes part of a header. */
    private static String safe(String name) {
        String cut = name.substring(0, Math.min(name.length(), MAX_NAME));
        return UNSAFE.matcher(cut).replaceAll("_");
    }
}
