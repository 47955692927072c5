/**
 * The live view: the streams in progress, as a feed of events for the page {@code Streams}. The door is {@link
 * io.millrace.server.live.LiveView}. A request to watch is read to its end, is then fed until its client leaves or the
 * relay stops, and is then over. While nobody watches, no stream is looked at: only a point of the history is made every
 * two seconds in which there were requests. The room holds no buffer.
 */
@NullMarked
package io.millrace.server.live;

import org.jspecify.annotations.NullMarked;
