package io.millrace.codec.translate;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A tool that a client lets the model use. */
public sealed interface Tool {
    /**
     * A function that the client runs when the model calls it.
     *
     * @param name a name that every dialect accepts: see {@link ToolName}
     * @param description a description, may be null
     * @param parameters JSON schema of its arguments, null if it takes none
     * @param strict whether the arguments must follow the schema, null if not given
     * @param form the form of a call for the client, null for a function of this name
     */
    record Function(
            String name,
            @Nullable String description,
            @Nullable ObjectNode parameters,
            @Nullable Boolean strict,
            @Nullable CallForm form)
            implements Tool {
        /** A plain function, with the same name for its client. */
        public Function(String name, String description, ObjectNode parameters, Boolean strict) {
            this(name, description, parameters, strict, null);
        }

        /**
         * Reads a function with {@code name}, {@code description} and {@code strict}.
         *
         * @param parameters the key of its schema
         * @param namespace the group that it belongs to, null if there is none
         */
        static Function read(JsonFields function, String parameters, @Nullable String namespace) {
            String name = function.requiredText("name");
            return new Function(
                    ToolName.of(namespace, name),
                    function.text("description"),
                    function.tree(parameters),
                    function.flag("strict"),
                    ToolName.form(namespace, name));
        }

        /** The schema with a type, which some providers require; null if the function takes no arguments. */
        @Nullable
        ObjectNode schema() {
            if (parameters == null || parameters.has("type")) {
                return parameters;
            }
            ObjectNode typed = Json.object();
            typed.setAll(parameters);
            return typed.put("type", "object");
        }
    }

    /**
     * A tool that the provider itself runs, such as a web search.
     *
     * @param kind the kind of the tool
     * @param type its type in the client's dialect, such as {@code web_search_20250305}
     * @param path its path in the client's request, such as {@code tools[1].type}
     * @param settings its settings in the client's request
     */
    record Hosted(HostedKind kind, String type, String path, List<HostedSetting> settings) implements Tool {
        /** Copies the list. */
        public Hosted {
            settings = List.copyOf(settings);
        }

        /** The value of a setting, null if the client did not give it. */
        @Nullable
        JsonNode setting(HostedSetting.Key key) {
            return settings.stream()
                    .filter(setting -> setting.key() == key)
                    .map(HostedSetting::value)
                    .findFirst()
                    .orElse(null);
        }
    }
}
