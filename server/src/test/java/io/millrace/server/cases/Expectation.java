package io.millrace.server.cases;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.regex.Pattern;

/** The expectation of a step, compared with what the client and the upstream got. Each fault is one sentence. */
final class Expectation {
    private final JsonNode want;
    private final ClientAnswer answer;
    private final List<String> faults = new ArrayList<>();

    Expectation(JsonNode want, ClientAnswer answer) {
        this.want = want;
        this.answer = answer;
    }

    /**
     * @param request what the upstream was sent last, or null
     * @param sent its body, or null where it is not JSON
     * @param log the access log's line
     */
    List<String> faults(String request, JsonNode sent, JsonNode log) {
        if (want.path("refused").asBoolean()) {
            return answer.error == null ? List.of("was served") : List.of();
        }
        if (want.path("or_refused").asBoolean() && answer.status == 400) {
            return List.of();
        }
        checkError();
        checkText();
        checkCalls();
        checkEnd();
        checkFields("usage", Json.MAPPER.valueToTree(answer.usage));
        checkFields("log", log);
        faults.addAll(answer.faults);
        if (want.has("upstream") || want.has("upstream_has") || want.has("line")) {
            checkRequest(request, sent == null ? Json.MAPPER.createObjectNode() : sent);
        }
        return faults;
    }

    /** Where {@code now} does not begin with what was sent {@code before}, so that a provider's cache would not hold. */
    static List<String> unlikeBefore(JsonNode keys, JsonNode before, JsonNode now) {
        var faults = new ArrayList<String>();
        for (JsonNode key : keys) {
            JsonNode was = before == null ? Json.MAPPER.nullNode() : before.path(key.asText());
            JsonNode is = now == null ? Json.MAPPER.nullNode() : now.path(key.asText());
            if (!beginsWith(key.asText(), was, is)) {
                faults.add(key.asText() + " does not begin with what was sent before: " + brief(is));
            }
        }
        return faults;
    }

    /** The last message may have grown: those before it must be the same. */
    private static boolean beginsWith(String key, JsonNode was, JsonNode is) {
        if (!List.of("messages", "input", "contents").contains(key) || !was.isArray() || !is.isArray()) {
            return Json.same(was, is);
        }
        for (int i = 0; i < was.size() - 1; i++) {
            if (i >= is.size() || !Json.same(was.get(i), is.get(i))) {
                return false;
            }
        }
        return true;
    }

    private void checkError() {
        if (want.has("status") && answer.status != want.get("status").asInt()) {
            faults.add("status " + answer.status + ", not " + want.get("status") + ": " + answer.error);
        }
        boolean wanted = want.path("error").asBoolean();
        if (wanted && answer.error == null) {
            faults.add("no error; the client sees text '" + answer.text() + "', stop " + answer.stop);
        }
        String or = want.path("error_or").textValue();
        if (!wanted && answer.error != null && or == null) {
            faults.add("error: " + answer.error);
        }
        if (or != null && answer.error == null && !answer.body.contains(or)) {
            faults.add("neither an error nor '" + or + "' reached the client; stop " + answer.stop);
        }
        String error = answer.error == null ? "" : answer.error;
        for (JsonNode part : want.path("error_has")) {
            if (!error.contains(part.asText())) {
                faults.add("the error lacks '" + part.asText() + "': " + error);
            }
        }
        for (JsonNode part : want.path("error_lacks")) {
            if (error.contains(part.asText())) {
                faults.add("the error has '" + part.asText() + "': " + error);
            }
        }
    }

    private void checkText() {
        checkIs("text", answer.text());
        checkIs("reasoning", answer.reasoning());
    }

    private void checkIs(String what, String is) {
        if (want.has(what) && !want.get(what).asText().equals(is)) {
            faults.add(what + " '" + is + "', not '" + want.get(what).asText() + "'");
        }
    }

    private void checkCalls() {
        if (!want.has("tools")) {
            return;
        }
        ArrayNode is = Json.MAPPER.createArrayNode();
        var ids = new HashSet<String>();
        for (ClientAnswer.Call call : answer.calls()) {
            is.addArray().add(call.name()).add(call.parsed());
            if (call.id().isEmpty() || !ids.add(call.id())) {
                faults.add("a call's id is empty or taken: '" + call.id() + "'");
            }
        }
        if (!Json.same(is, want.get("tools"))) {
            faults.add("tool calls " + brief(is) + ", not " + brief(want.get("tools")));
        }
    }

    private void checkEnd() {
        if (want.has("stop") && answer.error == null && !isAmong(answer.stop, want.get("stop"))) {
            faults.add("stop " + answer.stop + ", not one of " + want.get("stop"));
        }
        boolean mustEnd = want.path("ended").asBoolean(!want.path("error").asBoolean());
        if (mustEnd && answer.error == null && !answer.ended) {
            faults.add("the client never sees the end");
        }
        for (JsonNode event : want.path("events")) {
            if (!answer.body.contains("event: " + event.asText() + "\n")) {
                faults.add("no event " + event.asText());
            }
        }
        if (want.has("stream") && answer.isStream != want.get("stream").asBoolean()) {
            faults.add("the answer is " + (answer.isStream ? "a stream" : "no stream"));
        }
    }

    private void checkFields(String where, JsonNode is) {
        want.path(where).properties().forEach(field -> {
            JsonNode found = is.path(field.getKey());
            boolean same = field.getValue().isNull()
                    ? found.isMissingNode() || found.isNull()
                    : Json.same(found, field.getValue());
            if (!same) {
                faults.add(where + ": " + field.getKey() + " is " + found + ", not " + field.getValue());
            }
        });
    }

    private void checkRequest(String request, JsonNode sent) {
        if (request == null) {
            faults.add("the upstream was not asked");
            return;
        }
        want.path("upstream").forEach(rule -> new PathRule(rule).check(sent, faults));
        String line = request.substring(0, request.indexOf("\r\n"));
        if (want.has("line")
                && !Pattern.compile(want.get("line").asText()).matcher(line).find()) {
            faults.add("the upstream was asked for '" + line + "', not '"
                    + want.get("line").asText() + "'");
        }
        String text = Json.text(sent);
        for (JsonNode part : want.path("upstream_has")) {
            if (!text.contains(part.asText())) {
                faults.add("the upstream's request lacks '" + part.asText() + "'");
            }
        }
    }

    private static boolean isAmong(String stop, JsonNode allowed) {
        for (JsonNode one : allowed) {
            if (one.isNull() ? stop == null : one.asText().equals(stop)) {
                return true;
            }
        }
        return false;
    }

    private static String brief(JsonNode json) {
        String text = Json.text(json);
        return text.length() > 160 ? text.substring(0, 160) + "…" : text;
    }
}
