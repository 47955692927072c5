package io.millrace.server.http;

import java.net.URLDecoder;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A request target in parts, always without an authority: only the path of an absolute-form target is used.
 *
 * @param path the raw path
 * @param query the raw query with its question mark, or empty
 */
public record Target(String path, String query) {
    /** Lower camel case with two words or more, such as {@code countTokens}. */
    private static final Pattern GOOGLE_METHOD = Pattern.compile("[a-z]+(?:[A-Z][a-z]+)+");

    /** A segment that names a version: {@code v1}, {@code v4}, {@code v1beta}. */
    private static final String VERSION = "/v\\d+(?:p\\d+)?(?:(?:alpha|beta|preview)\\d*)?";

    private static final Pattern ENDS_IN_VERSION = Pattern.compile(".*" + VERSION);
    /** The prefix that SDKs add if their base URL has no version. */
    private static final Pattern BEGINS_WITH_PLAIN_VERSION = Pattern.compile("^/v\\d+(?=/|$)");

    private static final Pattern BEGINS_WITH_VERSION = Pattern.compile("^" + VERSION + "(?=/|$)");
    private static final Pattern HAS_VERSION = Pattern.compile(VERSION + "(?=/|$)");

    private static final Pattern NAMED_IN_PATH =
            Pattern.compile("(?<=/models/|/deployments/)([^/]*?)(?::[A-Za-z]*)?(?=/|$)");

    public static Target of(String uri) {
        String rest = uri.startsWith("/") ? uri : withoutAuthority(uri);
        int query = rest.indexOf('?');
        return query < 0 ? new Target(rest, "") : new Target(rest.substring(0, query), rest.substring(query));
    }

    /**
     * The part of the path that servers read differently, so that a decision about this path might apply to another
     * path; null if there is none. Such parts are segments of dots (also percent-encoded, after an encoded slash or a
     * backslash, or with parameters), empty segments, invalid percent-encodings, and percent-encodings that are not
     * UTF-8.
     */
    public @Nullable String ambiguity() {
        return PathCheck.ambiguity(path);
    }

    private static String withoutAuthority(String absolute) {
        int start = absolute.indexOf("//") + 2;
        while (start < absolute.length() && absolute.charAt(start) != '/' && absolute.charAt(start) != '?') {
            start++;
        }
        String rest = absolute.substring(start);
        return rest.startsWith("/") ? rest : "/" + rest;
    }

    /**
     * The target of the request to an upstream: the upstream's own path in front. If that ends in a version, such as
     * {@code /api/paas/v4}, it replaces the {@code v1} of a request. The same version is not doubled.
     */
    public String under(String basePath) {
        if (!ENDS_IN_VERSION.matcher(basePath).matches()) {
            return basePath + path + query;
        }
        String version = basePath.substring(basePath.lastIndexOf('/'));
        boolean doubled = path.equals(version) || path.startsWith(version + "/");
        String rest = doubled
                ? path.substring(version.length())
                : BEGINS_WITH_PLAIN_VERSION.matcher(path).replaceFirst("");
        return basePath + rest + query;
    }

    /**
     * The target of a translated request, whose version the relay has chosen. If {@code basesHaveVersions}, and if the
     * upstream's path has a version anywhere, such as {@code /v1beta/openai}, that path stands alone in front.
     */
    public String translatedUnder(String basePath, boolean basesHaveVersions) {
        boolean whole = basesHaveVersions && HAS_VERSION.matcher(basePath).find();
        return whole ? basePath + withoutVersion() + query : under(basePath);
    }

    private String withoutVersion() {
        return BEGINS_WITH_VERSION.matcher(path).replaceFirst("");
    }

    /** This target without the query parameters of these names. The other parameters stay byte for byte. */
    public Target withoutParameters(Set<String> names) {
        if (query.isEmpty()) {
            return this;
        }
        List<String> parameters = List.of(query.substring(1).split("&", -1));
        List<String> kept = parameters.stream()
                .filter(parameter -> !names.contains(nameOf(parameter)))
                .toList();
        if (kept.size() == parameters.size()) {
            return this;
        }
        return new Target(path, kept.isEmpty() ? "" : "?" + String.join("&", kept));
    }

    private static String nameOf(String parameter) {
        int equals = parameter.indexOf('=');
        String name = equals < 0 ? parameter : parameter.substring(0, equals);
        try {
            return URLDecoder.decode(name, StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) {
            return name;
        }
    }

    /**
     * The model in a Gemini path such as {@code /v1beta/models/NAME:streamGenerateContent}, or null. In other paths, a
     * model's own name may contain colons, such as {@code /v1/models/ft:gpt-4o:org} or {@code llama3:latest}.
     */
    public @Nullable String modelInPath() {
        int start = path.lastIndexOf("/models/");
        int colon = path.lastIndexOf(':');
        if (start < 0
                || colon < start
                || !GOOGLE_METHOD.matcher(path.substring(colon + 1)).matches()) {
            return null;
        }
        return path.substring(start + "/models/".length(), colon);
    }

    /**
     * The texts in the path that servers may read as a model's name, for any method after it: the text after
     * {@code /models/} or, at Azure, {@code /deployments/}, unchanged.
     */
    public List<String> namesOfModels() {
        if (!path.contains("/models/") && !path.contains("/deployments/")) {
            return List.of();
        }
        return NAMED_IN_PATH.matcher(path).results().map(name -> name.group(1)).toList();
    }

    /** This target with another model in a Gemini path, percent-encoded if a path requires it. */
    public Target withModel(String model) {
        int start = path.lastIndexOf("/models/") + "/models/".length();
        String encoded = URLEncoder.encode(model, StandardCharsets.UTF_8).replace("+", "%20");
        return new Target(path.substring(0, start) + encoded + path.substring(path.lastIndexOf(':')), query);
    }
}
