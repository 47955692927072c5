package io.millrace.server.cli;

import io.millrace.server.config.file.ConfigKey;
import io.millrace.server.config.file.ConfigSources;
import java.net.URI;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The arguments of {@code serve} and {@code check}.
 *
 * @param file the configuration file that was named, or null
 * @param flags as they were typed; repeated ones joined by commas
 * @param takeover the control socket of a process to take over from, or null
 */
record RelayArguments(
        @Nullable Path file,
        Map<ConfigKey, String> flags,
        @Nullable Path takeover) {
    RelayArguments {
        flags = Map.copyOf(flags);
    }

    /**
     * Reads the arguments of a simple {@code serve}: each known flag once (or several times for addresses), each with
     * a value after it, and at most one file.
     *
     * @return null for all else, such as help, mistakes and other commands, which want the whole command line
     */
    static @Nullable RelayArguments ofPlainServe(List<String> arguments) {
        if (arguments.isEmpty() || !arguments.get(0).equals("serve")) {
            return null;
        }
        Path file = null;
        var flags = new EnumMap<ConfigKey, String>(ConfigKey.class);
        Iterator<String> rest = arguments.listIterator(1);
        while (rest.hasNext()) {
            String argument = rest.next();
            ConfigKey key = keyOf(argument);
            if (key != null && key.label() == null) {
                if (flags.put(key, "true") != null) {
                    return null;
                }
            } else if (key != null) {
                String value = rest.hasNext() ? rest.next() : "";
                String earlier = flags.get(key);
                if (!isPlain(value) || (earlier != null && !key.isRepeatable())) {
                    return null;
                }
                flags.put(key, earlier == null ? value : earlier + "," + value);
            } else if (file == null && isPlain(argument)) {
                file = Path.of(argument);
            } else {
                return null;
            }
        }
        return new RelayArguments(file, flags, null);
    }

    /**
     * The same arguments, but with a take-over from the process at the control socket {@code control}; null is none.
     */
    RelayArguments takingOver(@Nullable Path control) {
        return new RelayArguments(file, flags, control);
    }

    /** The sources of the configuration. */
    ConfigSources sources(Map<String, String> environment, Supplier<URI> mock) {
        String named = environment.getOrDefault("MILLRACE_CONFIG", "");
        Path chosen = file != null || named.isBlank() ? file : Path.of(named);
        return new ConfigSources(chosen, environment, flags, mock);
    }

    private static @Nullable ConfigKey keyOf(String flag) {
        for (var key : ConfigKey.values()) {
            if (key.flag().equals(flag)) {
                return key;
            }
        }
        return null;
    }

    /** Whether this is a plain word: not a flag, not a file of arguments, not quoted. */
    private static boolean isPlain(String value) {
        return !value.isBlank() && "-@\"'".indexOf(value.charAt(0)) < 0;
    }
}
