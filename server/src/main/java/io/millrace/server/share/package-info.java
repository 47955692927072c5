/**
 * What nodes share of the streams that they keep, in a store that speaks Redis' protocol. So a client reads its stream from
 * any node, and also when the node that has it is gone.
 *
 * <p>The doors: a {@link io.millrace.server.share.NodeShare} is this node's part, a {@link
 * io.millrace.server.share.LoopShare} that of one event loop. The event loop that writes a stream gives its log to its
 * loop's share, which ships it: each entry of the stored stream has the offset of its end as its id, and the entry that ends
 * it has the highest id there is, behind which the store takes nothing more. Any node finds the stream by its id and gets a
 * log that is filled from the store.
 *
 * <p>A stream that is shipped is new, then open, then done. It is unsure after each failure, until the store has said what
 * it has; it is fenced once another node has ended it. Nothing waits for the store: what was not shipped is shipped again
 * from the log. A {@link io.millrace.server.share.StoreLink} is a connection, which another room makes. All but
 * {@code NodeShare} is confined to one event loop.
 *
 * <p>Buffers: what is shipped is copied. A log that is filled from the store belongs to the share.
 */
@NullMarked
package io.millrace.server.share;

import org.jspecify.annotations.NullMarked;
