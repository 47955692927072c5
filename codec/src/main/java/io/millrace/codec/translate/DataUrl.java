package io.millrace.codec.translate;

/** A {@code data:} URL with Base64 (RFC 2397). */
record DataUrl(String mediaType, String data) {
    private static final String SCHEME = "data:";
    private static final String BASE64 = ";base64";

    /** The URL taken apart, {@code null} if it is of another kind. */
    static DataUrl parse(String url) {
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

    /** An image given by a URL of either kind. */
    static Part.Image image(String url, String detail) {
        DataUrl data = parse(url);
        return data == null
                ? new Part.Image(null, null, url, detail)
                : new Part.Image(data.mediaType, data.data, null, detail);
    }

    private static String mediaTypeOf(String head) {
        int parameter = head.indexOf(';');
        String bare = parameter < 0 ? head : head.substring(0, parameter);
        return bare.isEmpty() ? "text/plain" : bare;
    }
}
