package io.millrace.server.relay;

/**
 * A request target taken apart, always without an authority: of an absolute-form target only the path is used.
 *
 * @param path the raw path
 * @param query the raw query with its question mark, or empty
 */
record Target(String path, String query) {
    static Target of(String uri) {
        String rest = uri.startsWith("/") ? uri : withoutAuthority(uri);
        int query = rest.indexOf('?');
        return query < 0 ? new Target(rest, "") : new Target(rest.substring(0, query), rest.substring(query));
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
     * The target to ask an upstream for: the upstream's own path in front, where a last {@code /v1} of it that is the
     * request's first segment too is not doubled.
     */
    String under(String basePath) {
        String prefix = basePath;
        if (prefix.endsWith("/v1") && (path.equals("/v1") || path.startsWith("/v1/"))) {
            prefix = prefix.substring(0, prefix.length() - "/v1".length());
        }
        return prefix + path + query;
    }

    /** The model in a Gemini path such as {@code /v1beta/models/NAME:streamGenerateContent}, or null. */
    String modelInPath() {
        int start = path.lastIndexOf("/models/");
        int colon = path.lastIndexOf(':');
        return start < 0 || colon < start ? null : path.substring(start + "/models/".length(), colon);
    }

    /** This with another model in a Gemini path. */
    Target withModel(String model) {
        int start = path.lastIndexOf("/models/") + "/models/".length();
        return new Target(path.substring(0, start) + model + path.substring(path.lastIndexOf(':')), query);
    }
}
