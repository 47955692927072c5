package io.millrace.codec.translate;

/**
 * Something of a request that was left out because nobody here knows it, or no such upstream has it.
 *
 * @param name how it is told, in short and safe for a header: {@code some_new_hint}, {@code web_search}
 * @param path where it stands in the client's request
 */
public record DroppedField(String name, String path) {}
