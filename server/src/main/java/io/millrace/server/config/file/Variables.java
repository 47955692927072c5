package io.millrace.server.config.file;

import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Finds variables that look like Millrace's and that nothing reads, such as one that is misspelled. */
final class Variables {
    private static final String PREFIX = "MILLRACE_";

    /** Read by the launcher, the log, or before there is a configuration. */
    private static final List<String> OTHERS = List.of(
            "MILLRACE_CACHE",
            "MILLRACE_CONFIG",
            "MILLRACE_DEBUG",
            "MILLRACE_LOG_FORMAT",
            "MILLRACE_LOG_LEVEL",
            "MILLRACE_OPTS",
            "MILLRACE_PROFILE",
            "MILLRACE_WARM_UP");

    /** What Kubernetes and Docker set for a service called millrace, or one whose name begins so. */
    private static final Pattern OF_A_SERVICE =
            Pattern.compile("MILLRACE(_\\w+)?_(SERVICE_HOST|SERVICE_PORT(_\\w+)?|PORT(_\\d+_(TCP|UDP)(_\\w+)?)?)"
                    + "|MILLRACE_(SERVICE_HOST|SERVICE_PORT(_\\w+)?|PORT(_\\d+_(TCP|UDP)(_\\w+)?)?|NAME)");

    private final Set<String> unknown = new TreeSet<>();

    Variables(Collection<String> environment) {
        environment.stream()
                .filter(name ->
                        name.startsWith(PREFIX) && !OF_A_SERVICE.matcher(name).matches())
                .forEach(unknown::add);
        unknown.removeAll(known());
    }

    /** The configuration reads a key from this one. */
    void uses(String name) {
        unknown.remove(name);
    }

    /** Those that nothing has read. */
    Set<String> unknown() {
        return unknown;
    }

    /** What to say of an unknown one. */
    String message(String name) {
        return "unknown variable" + Suggestion.forWord(name, known());
    }

    private static List<String> known() {
        return Stream.concat(Arrays.stream(ConfigKey.values()).map(ConfigKey::variable), OTHERS.stream())
                .collect(Collectors.toList());
    }
}
