/**
 * What a client can read again of an event stream: the bytes of its body, kept for a while.
 *
 * <p>The door: a {@link io.millrace.server.replay.StreamLog} keeps the body of one stream. Who writes the stream appends to
 * it and seals it at the end. A {@link io.millrace.server.replay.LogReader} attaches at an offset and gets every byte from
 * there on once and in order, then the {@link io.millrace.server.replay.Seal}; or it is told that those bytes are gone. An
 * offset is a number of body bytes since the start of the stream.
 *
 * <p>A log is live, then sealed, then closed. It is closed at once where memory for it is short. All of it is confined to
 * the event loop that writes the stream, but for {@link io.millrace.server.replay.ReplayMemory}.
 *
 * <p>Buffers: what is appended is copied and remains with the caller. What a reader is given is the reader's to release, and
 * stays readable when the log has dropped it.
 */
@NullMarked
package io.millrace.server.replay;

import org.jspecify.annotations.NullMarked;
