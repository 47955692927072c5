package io.millrace.codec.translate;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Collects the settings of a tool that the provider runs. Empty fields are skipped. */
final class HostedSettings {
    private final List<HostedSetting> settings = new ArrayList<>();

    /** Adds the strings under {@code key}, or the one string there. */
    HostedSettings domains(JsonFields tool, String key, HostedSetting.Key as) {
        List<String> domains = tool.texts(key);
        if (!domains.isEmpty()) {
            ArrayNode value = Json.object().arrayNode();
            domains.forEach(value::add);
            settings.add(new HostedSetting(as, tool.path(key), value));
        }
        return this;
    }

    /** Adds a location: an object with strings, or such an object under {@code approximate}. */
    HostedSettings location(JsonFields tool, String key) {
        JsonFields given = tool.object(key);
        JsonFields place = given != null && given.has("approximate") ? given.requiredObject("approximate") : given;
        if (place == null) {
            return this;
        }
        ObjectNode value = Json.object();
        for (String name : List.of("city", "region", "country", "timezone")) {
            String word = place.text(name);
            if (word != null) {
                value.put(name, word);
            }
        }
        if (!value.isEmpty()) {
            settings.add(new HostedSetting(HostedSetting.Key.LOCATION, tool.path(key), value));
        }
        return this;
    }

    /** Adds a number under {@code key}. */
    HostedSettings number(JsonFields tool, String key, HostedSetting.Key as) {
        tool.integer(key); // refuses anything else
        return value(tool, key, as);
    }

    /** Adds a word under {@code key}. */
    HostedSettings word(JsonFields tool, String key, HostedSetting.Key as) {
        tool.text(key); // refuses anything else
        return value(tool, key, as);
    }

    private HostedSettings value(JsonFields tool, String key, HostedSetting.Key as) {
        JsonNode value = tool.any(key);
        if (value != null) {
            settings.add(new HostedSetting(as, tool.path(key), value));
        }
        return this;
    }

    /** Adds all fields that were not read so far, except these. */
    HostedSettings others(JsonFields tool, String... passedOver) {
        tool.ignore(passedOver);
        for (String key : tool.others()) {
            JsonNode value = tool.tree().get(key);
            if (!value.isContainerNode() || !value.isEmpty()) {
                settings.add(new HostedSetting(HostedSetting.Key.OTHER, tool.path(key), value));
            }
        }
        return this;
    }

    List<HostedSetting> list() {
        return settings;
    }

    /** Puts a location with the type that OpenAI and Anthropic require. */
    static void putLocation(ObjectNode json, JsonNode location) {
        json.put("type", "approximate");
        for (Map.Entry<String, JsonNode> field : location.properties()) {
            json.set(field.getKey(), field.getValue());
        }
    }
}
