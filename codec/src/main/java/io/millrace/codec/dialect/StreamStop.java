package io.millrace.codec.dialect;

import org.jspecify.annotations.Nullable;

/**
 * The values that {@link StreamInspector#stopFrames} needs besides the state of the stream.
 *
 * @param id used if the stream has no id for the answer; the dialect's prefix is added
 * @param model used if the stream has not named its model; null if the request does not name one either
 * @param choices how many answers the client asked for in one stream, at least 1; only Chat has more than 1
 * @param usageAsked whether the client asked for a usage frame; only Chat has one
 * @param nowSeconds used if the stream has no time for the answer, in seconds since 1970
 */
public record StreamStop(String id, @Nullable String model, int choices, boolean usageAsked, long nowSeconds) {}
