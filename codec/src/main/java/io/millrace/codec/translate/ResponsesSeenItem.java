package io.millrace.codec.translate;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The state of one output item of a Responses stream. */
final class ResponsesSeenItem {
    /** The item's call, null if it has none or the call has not begun. */
    @Nullable
    AssembledCall call;

    /** Whether the item itself had the name of its call. */
    boolean named;

    String callId = "";

    /** The name from another event than the item's own. It is used if the item has no name. */
    String name = "";

    /** Whether it is the call of a custom tool, whose input is text. */
    boolean custom;

    /** Whether its content was reported. */
    boolean told;

    /** Whether the whole item was read. */
    boolean done;

    /** Whether its annotations came as events. */
    boolean annotated;

    long summaryIndex;

    /** How many code points of the answer's text come before each content part. */
    final Map<Integer, Integer> starts = new HashMap<>();
}
