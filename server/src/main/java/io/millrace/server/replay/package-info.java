/**
 * Keeps the bytes of event streams for a while, so that clients can read them again.
 *
 * <p>The door is {@link io.millrace.server.replay.StreamLog}, which keeps the body of one stream. The writer of the
 * stream appends bytes and seals the log at the end. A {@link io.millrace.server.replay.LogReader} begins at an offset:
 * the number of body bytes before it. It gets every byte from there on once and in order, and at last the
 * {@link io.millrace.server.replay.Seal}. If bytes that it needs were dropped, it is told so.
 *
 * <p>A log is live, then sealed, then closed. If memory becomes short, a log is closed at once. Everything is confined
 * to the event loop that writes the stream, except for {@link io.millrace.server.replay.ReplayMemory} and
 * {@link io.millrace.server.replay.StreamNames}, which are thread-safe.
 *
 * <p>Buffers: the log copies what is appended; the original remains with the caller. A reader releases what it gets.
 * These bytes stay valid after the log has dropped them.
 */
@NullMarked
package io.millrace.server.replay;

import org.jspecify.annotations.NullMarked;
