package io.millrace.server.cli;

import io.millrace.codec.dialect.Dialect;
import io.millrace.server.config.RelayConfig;
import java.util.List;

/** Upstreams' URLs that are valid and probably not meant. */
final class UrlWarnings {
    private UrlWarnings() {}

    /** A line for each URL that has an operation at its end: requests bring theirs, so it would be there twice. */
    static List<String> of(RelayConfig config) {
        return config.upstreams().values().stream()
                .flatMap(upstream -> upstream.urls().stream()
                        .filter(url -> Dialect.ofPath(String.valueOf(url.getRawPath())) != Dialect.UNKNOWN)
                        .map(url -> upstream.name() + ": url: " + url
                                + " ends with an operation, and requests add theirs to it (expected: the base, such as"
                                + " https://api.openai.com/v1)"))
                .toList();
    }
}
