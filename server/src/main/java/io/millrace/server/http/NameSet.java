package io.millrace.server.http;

import io.netty.util.AsciiString;
import java.util.ArrayList;
import java.util.Arrays;

/** A small set of header names. Lookup ignores case and copies nothing. */
public final class NameSet {
    private static final AsciiString[] NONE = {};

    private final AsciiString[][] byLength;

    private NameSet(AsciiString[][] byLength) {
        this.byLength = byLength;
    }

    /** These names. */
    public static NameSet of(String... names) {
        int longest = Arrays.stream(names).mapToInt(String::length).max().orElse(0);
        var byLength = new AsciiString[longest + 1][];
        for (int length = 0; length <= longest; length++) {
            var found = new ArrayList<AsciiString>();
            for (String name : names) {
                if (name.length() == length) {
                    found.add(AsciiString.cached(name));
                }
            }
            byLength[length] = found.toArray(NONE);
        }
        return new NameSet(byLength);
    }

    /** Whether {@code name} is one of them. */
    public boolean contains(CharSequence name) {
        if (name.length() >= byLength.length) {
            return false;
        }
        for (AsciiString known : byLength[name.length()]) {
            if (known.contentEqualsIgnoreCase(name)) {
                return true;
            }
        }
        return false;
    }
}
