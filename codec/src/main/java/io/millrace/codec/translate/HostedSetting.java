package io.millrace.codec.translate;

import com.fasterxml.jackson.databind.JsonNode;

/**
 * What a client says of a tool that its provider runs.
 *
 * @param key what it is about
 * @param path where it stands in the client's request
 * @param value domains as an array of strings, a location as an object of strings, else as the client says it
 */
record HostedSetting(Key key, String path, JsonNode value) {
    /** The settings that more than one provider has. */
    enum Key {
        /** Only these domains. */
        ALLOWED_DOMAINS,
        /** Any but these domains. */
        BLOCKED_DOMAINS,
        /** Where the user is: {@code city}, {@code region}, {@code country}, {@code timezone}. */
        LOCATION,
        /** The most uses in one answer. */
        MAX_USES,
        /** How much of what was found the model is to see: {@code low}, {@code medium} or {@code high}. */
        CONTEXT_SIZE,
        /** Any other, which nobody else has. */
        OTHER
    }
}
