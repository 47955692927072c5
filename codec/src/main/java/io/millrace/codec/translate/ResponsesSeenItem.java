package io.millrace.codec.translate;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What has been read of one output item of a Responses stream. */
final class ResponsesSeenItem {
    /** The item's call, null if it is none or has not begun. */
    @Nullable
    AssembledCall call;

    /** Whether the item itself has named its call. */
    boolean named;

    String callId = "";

    /** The name that an event gave before the item did, or in its place. */
    String name = "";

    /** Whether it is the call of a custom tool, whose input is text. */
    boolean custom;

    /** Whether its content was reported. */
    boolean told;

    /** Whether it was read as a whole. */
    boolean done;

    /** Whether its annotations came as events. */
    boolean annotated;

    long summaryIndex;

    /** How many code points of the answer's text stand before each content part. */
    final Map<Integer, Integer> starts = new HashMap<>();
}
