package io.millrace.server.config.file;

import java.util.List;

/** A configuration that cannot be used, with all its problems. Contains no secret. */
public final class ConfigException extends RuntimeException {
    private static final long serialVersionUID = 1;

    @SuppressWarnings("serial") // made by List.copyOf, which is serializable
    private final List<String> problems;

    @SuppressWarnings("serial") // made by List.copyOf, which is serializable
    private final List<String> details;

    ConfigException(List<String> problems) {
        this(problems, problems);
    }

    ConfigException(List<String> problems, List<String> details) {
        super(String.join("\n", problems));
        this.problems = List.copyOf(problems);
        this.details = List.copyOf(details);
    }

    /** The problems, those of the file with their line and a caret under the place. */
    public List<String> details() {
        return details;
    }

    /** Whether all problems are those of flags: the command is wrong, and not the configuration. */
    public boolean isOfFlags() {
        return problems.stream().allMatch(problem -> problem.startsWith("--"));
    }

    /** One line for each problem, such as {@code millrace.yaml:3:5: conect: unknown key, did you mean 'connect'?}. */
    public List<String> problems() {
        return problems;
    }
}
