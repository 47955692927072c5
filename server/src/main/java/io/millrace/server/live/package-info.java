/**
 * The live view: the streams in progress, as a feed of events for the page {@code Streams}. The door is {@link
 * io.millrace.server.live.LiveView}. A request to watch is read to its end, is then fed until its client leaves or the
 * relay stops, and is then over. While nobody watches, this room does nothing. The room holds no buffer.
 */
@NullMarked
package io.millrace.server.live;

import org.jspecify.annotations.NullMarked;
