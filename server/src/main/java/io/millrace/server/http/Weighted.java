package io.millrace.server.http;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;

/**
 * A member of a field such as {@code Accept}, in small letters and without quotes.
 *
 * @param value a media range or a coding
 * @param parameters what stands behind it, such as {@code version=1.0.0}, without its weight
 * @param weight from 0, which refuses the value, to 1 (RFC 9110 section 12.4.2); also 0 if it is none
 */
public record Weighted(String value, List<String> parameters, double weight) {
    private static final Pattern WEIGHT = Pattern.compile("0(\\.[0-9]*)?|1(\\.0*)?");
    private static final String PREFIX = "q=";

    /** The members of all fields of one name. The heaviest come first; equally heavy ones are in their order. */
    public static List<Weighted> ofAll(List<String> fields) {
        var members = new ArrayList<Weighted>();
        for (String field : fields) {
            for (String member : field.split(",", -1)) {
                members.add(of(member));
            }
        }
        members.sort(
                Comparator.comparingDouble((Weighted member) -> member.weight).reversed());
        return members;
    }

    private static Weighted of(String member) {
        String[] parts =
                member.replaceAll("[\\s\"]", "").toLowerCase(Locale.ROOT).split(";", -1);
        var parameters = new ArrayList<String>();
        double weight = 1;
        for (int i = 1; i < parts.length; i++) {
            if (parts[i].startsWith(PREFIX)) {
                weight = weightOf(parts[i].substring(PREFIX.length()));
            } else {
                parameters.add(parts[i]);
            }
        }
        return new Weighted(parts[0], parameters, weight);
    }

    private static double weightOf(String text) {
        return WEIGHT.matcher(text).matches() ? Double.parseDouble(text) : 0;
    }
}
