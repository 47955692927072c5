package io.millrace.codec.translate;

import com.fasterxml.jackson.databind.node.ObjectNode;
import org.jspecify.annotations.Nullable;

/** Converts OpenAI's custom tools, which take one text, to functions that take it as a string. */
final class CustomTools {
    private CustomTools() {}

    /**
     * The function for a tool.
     *
     * @param custom with {@code name}, {@code description} and {@code format}
     */
    static Tool.Function read(JsonFields custom, @Nullable String namespace) {
        String name = custom.requiredText("name");
        ObjectNode parameters = Json.object().put("type", "object");
        ObjectNode input = parameters.putObject("properties").putObject(CallForm.INPUT);
        input.put("type", "string").put("description", "The whole input of the tool." + grammar(custom));
        parameters.putArray("required").add(CallForm.INPUT);
        var form = new CallForm(CallForm.Kind.CUSTOM, ToolName.group(namespace), name);
        return new Tool.Function(ToolName.of(namespace, name), custom.text("description"), parameters, null, form);
    }

    /**
     * The grammar as a part of the description, for models that cannot be bound to a grammar. In Chat it is one object
     * deeper than in Responses.
     */
    private static String grammar(JsonFields custom) {
        JsonFields format = custom.object("format");
        JsonFields grammar = format == null || !format.has("grammar") ? format : format.requiredObject("grammar");
        if (grammar == null || !grammar.has("definition")) {
            return "";
        }
        String syntax = grammar.has("syntax") ? grammar.requiredText("syntax") + " " : "";
        return " It must follow this " + syntax + "grammar:\n" + grammar.requiredText("definition");
    }
}
