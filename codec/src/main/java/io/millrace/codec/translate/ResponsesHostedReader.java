package io.millrace.codec.translate;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;

/** Reads the items of a Responses answer about tools that the provider ran. */
final class ResponsesHostedReader {
    private ResponsesHostedReader() {}

    static void readImage(JsonNode image, DeltaSink out) {
        String data = Json.text(image, "result");
        String format = Json.text(image, "output_format");
        if (!data.isEmpty()) {
            out.media(new Part.Media("image/" + (format.isEmpty() ? "png" : format), data, null));
        }
    }

    // {"type": "web_search_call", "action": {"type": "search", "query": "..", "sources": [{"type": "url", "url":
    // ".."}]}}
    static void readSearch(JsonNode item, DeltaSink out) {
        JsonNode action = item.path("action");
        String url = Json.text(action, "url");
        if (!url.isEmpty()) {
            out.hosted(new Part.HostedUse(HostedKind.WEB_FETCH, url, List.of(), "", isFailed(item)));
            return;
        }
        List<String> queries = new ArrayList<>();
        action.path("queries").forEach(query -> queries.add(query.asText()));
        List<Part.Source> sources = new ArrayList<>();
        for (JsonNode source : action.path("sources")) {
            if (!Json.text(source, "url").isEmpty()) {
                sources.add(new Part.Source(Json.text(source, "url"), Json.text(source, "title")));
            }
        }
        String query = queries.isEmpty() ? Json.text(action, "query") : String.join("; ", queries);
        out.hosted(new Part.HostedUse(HostedKind.WEB_SEARCH, query, sources, "", isFailed(item)));
    }

    // {"type": "code_interpreter_call", "code": "..", "outputs": [{"type": "logs", "logs": ".."}]}
    static void readCode(JsonNode item, DeltaSink out) {
        StringBuilder logs = new StringBuilder();
        item.path("outputs").forEach(output -> logs.append(Json.text(output, "logs")));
        String code = Json.text(item, "code");
        out.hosted(new Part.HostedUse(HostedKind.CODE, code, List.of(), logs.toString(), isFailed(item)));
    }

    private static boolean isFailed(JsonNode item) {
        return Json.text(item, "status").equals("failed");
    }

    // {"type": "url_citation", "start_index": 0, "end_index": 9, "url": "..", "title": ".."}
    static void readAnnotation(ResponsesSeenItem item, int contentIndex, JsonNode annotation, DeltaSink out) {
        String url = Json.text(annotation, "url");
        if (!url.isEmpty()) {
            int from = item.starts.getOrDefault(contentIndex, 0);
            int start = annotation.path("start_index").asInt(-1);
            int end = annotation.path("end_index").asInt(-1);
            boolean placed = start >= 0 && end >= start;
            out.citation(new Part.Citation(
                    url, Json.text(annotation, "title"), "", placed ? from + start : -1, placed ? from + end : -1));
        }
    }
}
