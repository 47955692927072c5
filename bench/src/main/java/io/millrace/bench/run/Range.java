package io.millrace.bench.run;

import java.util.ArrayList;
import java.util.List;

/** Whole numbers as a list, {@code 1,10,50}, or as a range that doubles, {@code 1..256}. */
final class Range {
    private Range() {}

    static List<Integer> parse(String option, String text) {
        var numbers = new ArrayList<Integer>();
        for (String part : text.split(",", -1)) {
            int dots = part.indexOf("..");
            if (dots < 0) {
                numbers.add(number(option, part));
                continue;
            }
            int to = number(option, part.substring(dots + 2));
            int from = number(option, part.substring(0, dots));
            if (from > to) {
                throw new IllegalArgumentException(option + ": " + part + " (expected: FROM..TO, FROM not larger)");
            }
            for (long n = from; n < to; n *= 2) {
                numbers.add((int) n);
            }
            numbers.add(to);
        }
        return numbers;
    }

    private static int number(String option, String text) {
        try {
            int number = Integer.parseInt(text.strip());
            if (number > 0) {
                return number;
            }
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(option + ": " + text + " (expected: a number)", e);
        }
        throw new IllegalArgumentException(option + ": " + text + " (expected: > 0)");
    }
}
