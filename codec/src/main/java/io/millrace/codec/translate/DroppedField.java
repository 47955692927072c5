package io.millrace.codec.translate;

/**
 * A part of a request that was left out, because it is unknown or the upstream does not have it. The client gets its
 * name.
 *
 * @param name a short name that is safe in a header: {@code some_new_hint}, {@code web_search}
 * @param path the place in the client's request
 */
public record DroppedField(String name, String path) {}
