package io.millrace.codec.translate;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Reads the web sources of a Gemini answer: the searches, the pages that were found, and the part of the text that each
 * page supports. They come with the last response. Places in the text are counted in bytes, so the text is kept from
 * the first response that has such metadata.
 */
final class GeminiGrounding {
    private final StringBuilder text = new StringBuilder();
    private boolean kept;
    private boolean spoke;
    private @Nullable JsonNode grounding;
    private @Nullable JsonNode pages;
    private long chars;

    void read(JsonNode candidate) {
        JsonNode told = candidate.path("groundingMetadata");
        kept |= told.isObject() && !spoke;
        if (!told.isEmpty()) {
            grounding = told;
            chars += told.path("groundingChunks").size() * 256L
                    + told.path("groundingSupports").size() * 128L;
        }
        if (!candidate.path("urlContextMetadata").isEmpty()) {
            pages = candidate.get("urlContextMetadata");
        }
    }

    /** Adds more of the answer's text. */
    void text(String more) {
        spoke |= !more.isEmpty();
        if (kept) {
            text.append(more);
        }
    }

    long heldChars() {
        return text.length() + chars;
    }

    void tell(DeltaSink out) {
        List<Part.Source> sources = new ArrayList<>();
        if (grounding != null) {
            for (JsonNode chunk : grounding.path("groundingChunks")) {
                JsonNode page = chunk.path("web");
                sources.add(new Part.Source(Json.text(page, "uri"), Json.text(page, "title")));
            }
            TextPlaces places = kept ? new TextPlaces(text) : null;
            for (JsonNode support : grounding.path("groundingSupports")) {
                tellSupport(support, sources, places, out);
            }
            List<String> queries = new ArrayList<>();
            grounding.path("webSearchQueries").forEach(query -> queries.add(query.asText()));
            if (!queries.isEmpty()) {
                sources.removeIf(source -> source.url().isEmpty());
                String asked = String.join("; ", queries);
                out.hosted(new Part.HostedUse(HostedKind.WEB_SEARCH, asked, sources, "", false));
            }
        }
        if (pages != null) {
            for (JsonNode page : pages.path("urlMetadata")) {
                boolean failed = !Json.text(page, "urlRetrievalStatus").endsWith("SUCCESS");
                String url = Json.text(page, "retrievedUrl");
                out.hosted(new Part.HostedUse(HostedKind.WEB_FETCH, url, List.of(), "", failed));
            }
        }
    }

    /** @param places the places in the text, null if the text was not kept */
    private static void tellSupport(
            JsonNode support, List<Part.Source> sources, @Nullable TextPlaces places, DeltaSink out) {
        JsonNode segment = support.path("segment");
        TextPlaces known = segment.has("endIndex") ? places : null;
        int start = known == null
                ? -1
                : known.pointsWithin(segment.path("startIndex").asLong());
        int end =
                known == null ? -1 : known.pointsWithin(segment.path("endIndex").asLong());
        for (JsonNode index : support.path("groundingChunkIndices")) {
            int at = index.asInt(-1);
            if (at >= 0 && at < sources.size() && !sources.get(at).url().isEmpty()) {
                Part.Source source = sources.get(at);
                out.citation(new Part.Citation(source.url(), source.title(), "", start, end));
            }
        }
    }
}
