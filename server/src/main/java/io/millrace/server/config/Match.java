package io.millrace.server.config;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The requests that a route takes. A pattern is exact unless it has a {@code *}, which stands for any characters,
 * including none and slashes. So {@code /v1/*} is a prefix and {@code *}{@code /chat/completions} a suffix.
 *
 * @param paths patterns of the raw path, one of which must match; empty takes all paths
 * @param models patterns of the body's model, one of which must match; empty takes all models
 * @param header a request header that must be present; null for none
 */
public record Match(
        List<String> paths, List<String> models, @Nullable String header) implements Settings<Match, Match.Builder> {
    /** Takes every request. */
    public static final Match ALL = Builders.build(Match.class, new Builder());

    public Match {
        paths = List.copyOf(paths);
        models = List.copyOf(models);
        paths.forEach(Match::checkPath);
        models.forEach(model -> Checks.notBlank("models", model));
        if (header != null) {
            Checks.headerName("header", header);
        }
    }

    /** Takes the requests to one of these paths. */
    public static Match paths(String... patterns) {
        return ALL.with(m -> m.paths = List.of(patterns));
    }

    /** Takes the requests for one of these models. */
    public static Match models(String... patterns) {
        return ALL.with(m -> m.models = List.of(patterns));
    }

    /** Whether the decision needs the model, which is in the request's body or, for Gemini, in its path. */
    public boolean needsModel() {
        return !models.isEmpty();
    }

    /** Whether the raw path, without its query, matches this route. */
    public boolean matchesPath(CharSequence path) {
        return paths.isEmpty() || anyMatches(paths, path);
    }

    /** Whether the model matches this route. */
    public boolean matchesModel(@Nullable String model) {
        return models.isEmpty() || (model != null && anyMatches(models, model));
    }

    static boolean anyMatches(List<String> patterns, CharSequence text) {
        for (int i = 0; i < patterns.size(); i++) {
            if (matches(patterns.get(i), text)) {
                return true;
            }
        }
        return false;
    }

    /** Greedy matching that goes back to the last star only. Its time is linear unless a pattern has many stars. */
    static boolean matches(String pattern, CharSequence text) {
        int p = 0;
        int t = 0;
        int star = -1;
        int resume = 0;
        while (t < text.length()) {
            if (p < pattern.length() && pattern.charAt(p) == '*') {
                star = p++;
                resume = t;
            } else if (p < pattern.length() && pattern.charAt(p) == text.charAt(t)) {
                p++;
                t++;
            } else if (star >= 0) {
                p = star + 1;
                t = ++resume;
            } else {
                return false;
            }
        }
        while (p < pattern.length() && pattern.charAt(p) == '*') {
            p++;
        }
        return p == pattern.length();
    }

    private static void checkPath(String pattern) {
        if (!pattern.startsWith("/") && !pattern.startsWith("*")) {
            throw new IllegalArgumentException("paths: '" + pattern + "' (expected: to begin with / or *)");
        }
        if (pattern.indexOf('?') >= 0) {
            throw new IllegalArgumentException("paths: '" + pattern + "' (expected: no query)");
        }
    }

    /** The components by name; the values of a new one are the defaults. */
    public static final class Builder {
        public List<String> paths = List.of();
        public List<String> models = List.of();
        public @Nullable String header;
    }
}
