/**
 * Shares kept streams between nodes, in a store that speaks Redis' protocol. A client can then read its stream from any
 * node, even if the node that wrote it is gone.
 *
 * <p>The doors are {@link io.millrace.server.share.NodeShare}, which is the part of this node, and
 * {@link io.millrace.server.share.LoopShare}, which is the part of one event loop. The event loop that writes a stream
 * hands the log to its share. The share ships the bytes as entries. The id of an entry is the offset of its end. The
 * entry that ends the stream has the highest possible id, so the store accepts no entry after it. Any node finds the
 * stream by its id, and fills a log of its own from the store.
 *
 * <p>A shipment is new, then open, then over. After a failure it is unsure until the store has said what it has. It is
 * fenced if another node has ended the stream. Nothing waits for the store: bytes that did not arrive are shipped again
 * from the log. A node that follows a stream gets the bytes in messages, after the store has accepted them. If one is
 * lost, the offsets show it, and the node asks the store. A {@link io.millrace.server.share.StoreLink} is a connection,
 * which another package makes. Everything except {@code NodeShare} is confined to one event loop.
 *
 * <p>Buffers: shipped bytes are copied. The share owns each log that it fills from the store.
 */
@NullMarked
package io.millrace.server.share;

import org.jspecify.annotations.NullMarked;
