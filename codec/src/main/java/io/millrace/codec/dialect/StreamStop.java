package io.millrace.codec.dialect;

import org.jspecify.annotations.Nullable;

/**
 * What {@link StreamInspector#stopFrames} needs besides the state of the stream.
 *
 * @param id stands in for the answer's id if the stream has not given one; a prefix of the dialect goes before it
 * @param model stands in for the model if the stream has not named it; null if the request names none
 * @param choices how many answers were asked for in one stream, at least 1; only Chat has more
 * @param usageAsked whether the client asked for a usage frame; only Chat has one
 * @param nowSeconds stands in for the time of the answer, in seconds since 1970
 */
public record StreamStop(String id, @Nullable String model, int choices, boolean usageAsked, long nowSeconds) {}
