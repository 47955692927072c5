package io.millrace.server.config;

/** What becomes of a field that no translation knows. */
public enum TranslationMode {
    /** It is left out and told. */
    LENIENT,
    /** The request is refused. */
    STRICT
}
