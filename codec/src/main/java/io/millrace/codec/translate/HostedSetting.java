package io.millrace.codec.translate;

import com.fasterxml.jackson.databind.JsonNode;

/**
 * A setting of a tool that the provider runs.
 *
 * @param key what is set
 * @param path the place in the client's request
 * @param value domains as an array of strings, a location as an object of strings, else the client's own value
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
        /** How much of the found pages the model gets: {@code low}, {@code medium} or {@code high}. */
        CONTEXT_SIZE,
        /** A setting that only one provider has. */
        OTHER
    }
}
