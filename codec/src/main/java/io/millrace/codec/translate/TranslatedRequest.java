package io.millrace.codec.translate;

/**
 * A request in an upstream's dialect.
 *
 * @param path path and query, such as {@code /v1/messages}; beginning with a version, as under the upstream's root
 * @param body JSON
 * @param stream whether it asks for a stream
 */
@SuppressWarnings("ArrayRecordComponent") // handed on, never compared
public record TranslatedRequest(String path, byte[] body, boolean stream) {}
