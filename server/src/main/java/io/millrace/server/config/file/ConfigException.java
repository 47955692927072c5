package io.millrace.server.config.file;

import java.util.List;

/** A configuration that cannot be used, with all its problems. Contains no secret. */
public final class ConfigException extends RuntimeException {
    private static final long serialVersionUID = 1;

    @SuppressWarnings("serial") // made by List.copyOf, which is serializable
    private final List<String> problems;

    ConfigException(List<String> problems) {
        super(String.join("\n", problems));
        this.problems = List.copyOf(problems);
    }

    /** One line for each problem, such as {@code millrace.yaml:3:5: conect: unknown key, did you mean 'connect'?}. */
    public List<String> problems() {
        return problems;
    }
}
