package io.millrace.codec.translate;

/**
 * An answer in a client's dialect.
 *
 * @param status 200, or the status of an error that the upstream sent with a status of success
 * @param body JSON
 * @param usage the counts that the upstream reported
 */
@SuppressWarnings("ArrayRecordComponent") // passed on, never compared
public record TranslatedAnswer(int status, byte[] body, TokenCounts usage) {}
