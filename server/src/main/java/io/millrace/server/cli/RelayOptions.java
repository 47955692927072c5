package io.millrace.server.cli;

import static java.util.stream.Collectors.joining;

import io.millrace.server.config.file.ConfigKey;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/**
 * The options that {@code serve} and {@code check} share: one for each {@link ConfigKey}. The texts go unchanged to the
 * loader, which names the flag in its errors.
 */
final class RelayOptions {
    private final Map<ConfigKey, OptionSpec> options = new EnumMap<>(ConfigKey.class);

    @Parameters(
            arity = "0..1",
            paramLabel = "CONFIG",
            description = "Configuration file, YAML or JSON. Without one, $MILLRACE_CONFIG, else none.")
    private @Nullable Path file;

    /** Called by picocli with the specification of this object. */
    @Spec
    void spec(CommandSpec spec) {
        for (ConfigKey key : ConfigKey.values()) {
            OptionSpec option = option(key);
            options.put(key, option);
            spec.addOption(option);
        }
    }

    private static OptionSpec option(ConfigKey key) {
        OptionSpec.Builder option = OptionSpec.builder(key.flag()).description(key.description());
        if (key.label() == null) {
            return option.type(Boolean.class).arity("0").build();
        }
        option.paramLabel(key.label());
        return (key.isRepeatable() ? option.type(List.class).auxiliaryTypes(String.class) : option.type(String.class))
                .arity("1")
                .build();
    }

    /** The arguments that were given. */
    RelayArguments arguments() {
        var flags = new EnumMap<ConfigKey, String>(ConfigKey.class);
        options.forEach((key, option) -> {
            Object value = option.getValue();
            if (value instanceof List<?> several) {
                flags.put(key, several.stream().map(String::valueOf).collect(joining(",")));
            } else if (value != null && !value.equals(false)) {
                flags.put(key, value.toString());
            }
        });
        return new RelayArguments(file, flags, null);
    }
}
