package io.millrace.server.config.file;

import java.util.List;

/** A configuration that cannot be used, with everything that is wrong with it. Holds no secret. */
public final class ConfigException extends RuntimeException {
    private static final long serialVersionUID = 1;

    @SuppressWarnings("serial") // made of List.copyOf, which is serializable
    private final List<String> problems;

    ConfigException(List<String> problems) {
        super(String.join("\n", problems));
        this.problems = List.copyOf(problems);
    }

    /** One line each, such as {@code millrace.yaml:3:5: conect: unknown key, did you mean 'connect'?}. */
    public List<String> problems() {
        return problems;
    }
}
