package io.millrace.server.cases;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A rule about the value at a path such as {@code messages[*].content[0].text}. */
final class PathRule {
    private static final Pattern STEP = Pattern.compile("[^.\\[\\]]+|\\[\\*]|\\[-?\\d+]");

    private final JsonNode rule;
    private final String path;

    PathRule(JsonNode rule) {
        this.rule = rule;
        path = rule.get("at").asText();
    }

    /** Adds what is wrong with {@code tree} to {@code faults}. */
    void check(JsonNode tree, List<String> faults) {
        List<JsonNode> found = find(tree);
        if (rule.path("absent").asBoolean()) {
            if (!found.isEmpty()) {
                faults.add(path + " is " + found + ", should not be there");
            }
            return;
        }
        if (found.isEmpty() && !rule.path("optional").asBoolean()) {
            faults.add(path + " is missing");
        }
        for (JsonNode value : found) {
            if (!holds(value)) {
                faults.add(path + " is " + value + ", not as " + rule);
            }
        }
    }

    private List<JsonNode> find(JsonNode tree) {
        List<JsonNode> found = List.of(tree);
        Matcher steps = STEP.matcher(path);
        while (steps.find()) {
            var following = new ArrayList<JsonNode>();
            for (JsonNode node : found) {
                follow(steps.group(), node, following);
            }
            found = following;
        }
        return found;
    }

    private static void follow(String step, JsonNode node, List<JsonNode> following) {
        if (step.equals("[*]")) {
            if (node.isArray()) {
                node.forEach(following::add);
            }
        } else if (step.startsWith("[")) {
            int index = Integer.parseInt(step.substring(1, step.length() - 1));
            int place = index < 0 ? node.size() + index : index;
            if (node.isArray() && place >= 0 && place < node.size()) {
                following.add(node.get(place));
            }
        } else if (node.has(step)) {
            following.add(node.get(step));
        }
    }

    private boolean holds(JsonNode value) {
        String text = value.isTextual() ? value.asText() : Json.text(value);
        return (!rule.has("is") || Json.same(value, rule.get("is")))
                && (!rule.has("in") || isAmong(value))
                && (!rule.has("min")
                        || (value.isNumber()
                                && value.asDouble() >= rule.get("min").asDouble()))
                && (!rule.has("max_len") || length(value) <= rule.get("max_len").asInt())
                && (!rule.has("has") || text.contains(rule.get("has").asText()))
                && (!rule.path("not_blank").asBoolean() || !value.isTextual() || !text.isBlank());
    }

    private boolean isAmong(JsonNode value) {
        for (JsonNode one : rule.get("in")) {
            if (Json.same(value, one)) {
                return true;
            }
        }
        return false;
    }

    private static int length(JsonNode value) {
        return value.isTextual()
                ? value.asText().codePointCount(0, value.asText().length())
                : value.size();
    }
}
