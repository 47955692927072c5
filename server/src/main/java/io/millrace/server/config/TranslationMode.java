package io.millrace.server.config;

/** What happens to a field that no translation knows. */
public enum TranslationMode {
    /** It is left out and reported. */
    LENIENT,
    /** The request is refused. */
    STRICT
}
