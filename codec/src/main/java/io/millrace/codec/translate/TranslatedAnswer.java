package io.millrace.codec.translate;

/**
 * An answer in a client's dialect.
 *
 * @param status 200, or that of an error which the upstream sent as a success
 * @param body JSON
 * @param usage what the upstream told
 */
@SuppressWarnings("ArrayRecordComponent") // handed on, never compared
public record TranslatedAnswer(int status, byte[] body, TokenCounts usage) {}
