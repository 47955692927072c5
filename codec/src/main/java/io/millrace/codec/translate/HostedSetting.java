package io.millrace.codec.translate;

import com.fasterxml.jackson.databind.JsonNode;

/**
 * A setting of a tool that the provider runs.
 *
 * @param key the kind of the setting
 * @param path the path in the client's request
 * @param value domains as an array of strings, a location as an object of strings, otherwise the client's own value
 */
record HostedSetting(Key key, String path, JsonNode value) {
    /** The settings that more than one provider has. */
    enum Key {
        /** Allows only these domains. */
        ALLOWED_DOMAINS,
        /** Blocks these domains. */
        BLOCKED_DOMAINS,
        /** The location of the user: {@code city}, {@code region}, {@code country}, {@code timezone}. */
        LOCATION,
        /** The most uses in one answer. */
        MAX_USES,
        /** How much of the found pages the model gets: {@code low}, {@code medium} or {@code high}. */
        CONTEXT_SIZE,
        /** A setting that only one provider has. */
        OTHER
    }
}
