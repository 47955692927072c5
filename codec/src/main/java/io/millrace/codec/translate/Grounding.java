package io.millrace.codec.translate;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Collects the web sources of an answer for a Gemini client: the searches, the pages that were found, and the part of
 * the text that each page supports.
 */
final class Grounding {
    private final List<String> queries = new ArrayList<>();
    private final List<String> pages = new ArrayList<>();

    /** The positions of sources, by their link. */
    private final Map<String, Integer> places = new LinkedHashMap<>();

    private final List<String> titles = new ArrayList<>();
    private final List<Part.Citation> citations = new ArrayList<>();
    private long chars;

    void add(Part.Citation citation) {
        chars += citation.chars();
        place(new Part.Source(citation.url(), citation.title()));
        citations.add(citation);
    }

    /** Adds a search or a page. Returns false if the use is neither. */
    boolean add(Part.HostedUse use) {
        switch (use.kind()) {
            case WEB_SEARCH -> {
                queries.add(use.input());
                use.sources().forEach(this::place);
            }
            case WEB_FETCH -> pages.add(use.input());
            case CODE, OTHER -> {
                return false;
            }
        }
        chars += use.chars();
        return true;
    }

    long chars() {
        return chars;
    }

    private int place(Part.Source source) {
        Integer known = places.putIfAbsent(source.url(), places.size());
        if (known == null) {
            titles.add(source.title());
        }
        return places.get(source.url());
    }

    /**
     * Puts the fields into a candidate.
     *
     * @param text the answer's text, empty if it was not kept; then the sources have no places in it
     */
    void put(JsonText candidate, String text) {
        if (!queries.isEmpty() || !places.isEmpty()) {
            candidate.object("groundingMetadata").array("webSearchQueries");
            queries.forEach(candidate::element);
            candidate.endArray();
            putChunks(candidate);
            if (!text.isEmpty()) {
                putSupports(candidate, text);
            }
            candidate.endObject();
        }
        if (!pages.isEmpty()) {
            candidate.object("urlContextMetadata").array("urlMetadata");
            for (String page : pages) {
                candidate
                        .object()
                        .put("retrievedUrl", page)
                        .put("urlRetrievalStatus", "URL_RETRIEVAL_STATUS_SUCCESS")
                        .endObject();
            }
            candidate.endArray().endObject();
        }
    }

    private void putChunks(JsonText json) {
        json.array("groundingChunks");
        places.forEach((url, place) -> {
            json.object().object("web").put("uri", url);
            json.put("title", titles.get(place)).endObject().endObject();
        });
        json.endArray();
    }

    private void putSupports(JsonText json, String text) {
        TextPlaces inText = new TextPlaces(text);
        json.array("groundingSupports");
        for (Part.Citation citation : citations) {
            json.object()
                    .object("segment")
                    .put("startIndex", inText.bytesBefore(citation.start()))
                    .put("endIndex", inText.bytesBefore(citation.end()))
                    .endObject()
                    .putJson("groundingChunkIndices", "[" + places.get(citation.url()) + "]")
                    .endObject();
        }
        json.endArray();
    }
}
