/**
 * The meaning of a stream's frames in each dialect: Chat Completions, Responses, Messages, Gemini.
 *
 * <p>{@link io.millrace.codec.dialect.Dialect} is the entry point. It finds the dialect by the path of a request, gives
 * a {@link io.millrace.codec.dialect.StreamInspector} for each stream, and writes the frames that a relay adds: errors,
 * heartbeats, the end of a stream that was stopped. An inspector gets each frame once, in order. It returns the frame's
 * {@link io.millrace.codec.dialect.FrameKind} and keeps the state of the stream: its end, its usage, its finish reason
 * and its error.
 *
 * <p>Frames are read as bytes. No JSON tree is built, and only the few strings that are kept become text. Buffers
 * remain with the caller. The caller must release the frames that are returned.
 */
@NullMarked
package io.millrace.codec.dialect;

import org.jspecify.annotations.NullMarked;
