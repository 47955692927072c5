package io.millrace.codec.translate;

import java.net.URLDecoder;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;

/** The values in the path of a Gemini request: {@code /v1beta/models/MODEL:streamGenerateContent?alt=sse}. */
record GeminiPath(String model, boolean stream) {
    private static final String MODELS = "/models/";
    private static final String STREAM = "streamGenerateContent";

    /** Parses a path, which may have any prefix. */
    static GeminiPath parse(String path) {
        int query = path.indexOf('?');
        String bare = decoded(query < 0 ? path : path.substring(0, query));
        int models = bare.lastIndexOf(MODELS);
        int colon = bare.lastIndexOf(':');
        if (models < 0 || colon < models) {
            throw new TranslationException("model", "expected a path such as /v1beta/models/MODEL:" + STREAM);
        }
        boolean stream = bare.endsWith(":" + STREAM);
        if (stream && (query < 0 || !("&" + path.substring(query + 1) + "&").contains("&alt=sse&"))) {
            throw new TranslationException("alt", "expected sse: a stream is translated as events only");
        }
        return new GeminiPath(bare.substring(models + MODELS.length(), colon), stream);
    }

    /** The path of a request to Gemini. */
    String write() {
        String bare = model.startsWith("models/") ? model.substring("models/".length()) : model;
        String encoded = URLEncoder.encode(bare, StandardCharsets.UTF_8).replace("+", "%20");
        return "/v1beta/models/" + encoded + (stream ? ":" + STREAM + "?alt=sse" : ":generateContent");
    }

    private static String decoded(String path) {
        try {
            return URLDecoder.decode(path.replace("+", "%2B"), StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) {
            throw new TranslationException("model", "the path has an invalid percent-encoding");
        }
    }
}
