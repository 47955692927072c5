package io.millrace.codec.dialect;

/** The streaming protocols that are told apart by their paths and frames. */
public enum Dialect {
    /** OpenAI Chat Completions, and the older Completions. */
    CHAT_COMPLETIONS,
    /** OpenAI Responses. */
    RESPONSES,
    /** Anthropic Messages. */
    MESSAGES,
    /** Google Gemini. */
    GEMINI
}
