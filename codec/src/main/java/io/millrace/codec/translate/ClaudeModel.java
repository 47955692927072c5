package io.millrace.codec.translate;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The settings that a Claude model accepts in a Messages request, by the version in its name:
 * {@code claude-3-5-sonnet-20241022}, {@code us.anthropic.claude-sonnet-4-5-20250929-v1:0},
 * {@code anthropic/claude-opus-4.6}. A Claude without a version counts as a new one. Other models of this dialect also
 * count as new ones, but they accept all settings of sampling.
 */
final class ClaudeModel {
    private static final int NEWEST = 10_000;

    // claude-2.1, claude-3-5-sonnet, claude-sonnet-4-5. A date after it is not part of the version.
    private static final Pattern NAME =
            Pattern.compile("claude[-_]?(?:v?(\\d{1,2})(?:[-.](\\d{1,2}))?(?!\\d)[-_]?)?[a-z]*"
                    + "(?:[-_](\\d{1,2})(?:[-.](\\d{1,2})(?!\\d))?(?!\\d))?");

    private final boolean claude;
    private final int version;

    private ClaudeModel(boolean claude, int version) {
        this.claude = claude;
        this.version = version;
    }

    static ClaudeModel of(String name) {
        Matcher matcher = NAME.matcher(name.toLowerCase(Locale.ROOT));
        if (!matcher.find()) {
            return new ClaudeModel(false, NEWEST);
        }
        int first = matcher.group(1) == null ? 3 : 1;
        if (matcher.group(first) == null) {
            return new ClaudeModel(true, NEWEST);
        }
        String minor = matcher.group(first + 1);
        return new ClaudeModel(
                true, 100 * Integer.parseInt(matcher.group(first)) + (minor == null ? 0 : Integer.parseInt(minor)));
    }

    /** Whether it can think before it answers. */
    boolean thinks() {
        return version >= 307;
    }

    /** Whether it decides itself how much to think, and accepts the words for effort. */
    boolean adapts() {
        return version >= 406;
    }

    /** Whether it accepts a budget of tokens for thinking. */
    boolean takesBudget() {
        return thinks() && (!claude || version < 407);
    }

    /** Whether it accepts settings of sampling. */
    boolean samples() {
        return !claude || version < 407;
    }

    /** Whether it accepts only one of temperature and {@code top_p}. */
    boolean samplesOneWay() {
        return claude && version >= 401;
    }
}
