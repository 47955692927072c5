package io.millrace.codec.translate;

import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A {@code data:} URL with Base64 (RFC 2397). */
record DataUrl(String mediaType, String data) {
    private static final String SCHEME = "data:";
    private static final String BASE64 = ";base64";
    private static final Map<String, String> TYPES = Map.of(
            ".txt",
            "text/plain",
            ".md",
            "text/markdown",
            ".csv",
            "text/csv",
            ".html",
            "text/html",
            ".json",
            "application/json");

    /** The parts of the URL, {@code null} if it is not a {@code data:} URL with Base64. */
    static @Nullable DataUrl parse(String url) {
        int comma = url.indexOf(',');
        if (comma < 0 || !url.regionMatches(true, 0, SCHEME, 0, SCHEME.length())) {
            return null;
        }
        String head = url.substring(SCHEME.length(), comma);
        String data = url.substring(comma + 1);
        return head.endsWith(BASE64)
                ? new DataUrl(mediaTypeOf(head.substring(0, head.length() - BASE64.length())), data)
                : null;
    }

    static String of(String mediaType, String data) {
        return SCHEME + mediaType + BASE64 + "," + data;
    }

    /** An image by its URL: a link, or a {@code data:} URL. */
    static Part.Image image(String url, @Nullable String detail) {
        DataUrl data = parse(url);
        return data == null
                ? new Part.Image(null, null, url, detail)
                : new Part.Image(data.mediaType, data.data, null, detail);
    }

    /**
     * A document as a {@code data:} URL or as bare Base64. The type of bare Base64 is that of the file name, or PDF if
     * there is no name.
     *
     * @param key the key of the data in {@code file}
     * @param nameKey the key of the file's name
     */
    static Part.Document document(JsonFields file, String key, String nameKey) {
        String text = file.requiredText(key);
        String name = file.text(nameKey);
        DataUrl url = parse(text);
        if (url != null) {
            return new Part.Document(url.mediaType, url.data, null, name);
        }
        if (!isBase64(text)) {
            throw file.refuse(key, "expected Base64, or a data: URL of it");
        }
        return new Part.Document(typeOf(name), text, null, name);
    }

    private static boolean isBase64(String text) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            boolean letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
            boolean digit = c >= '0' && c <= '9';
            if (!letter && !digit && "+/=-_".indexOf(c) < 0) {
                return false;
            }
        }
        return !text.isEmpty();
    }

    private static String typeOf(@Nullable String name) {
        String lower = name == null ? "" : name.toLowerCase(Locale.ROOT);
        for (Map.Entry<String, String> type : TYPES.entrySet()) {
            if (lower.endsWith(type.getKey())) {
                return type.getValue();
            }
        }
        return "application/pdf";
    }

    private static String mediaTypeOf(String head) {
        int parameter = head.indexOf(';');
        String bare = parameter < 0 ? head : head.substring(0, parameter);
        return bare.isEmpty() ? "text/plain" : bare;
    }
}
