/**
 * Event streams (Server-Sent Events, WHATWG HTML 9.2) on Netty buffers.
 *
 * <pre>
 * stream     = [ bom ] *frame [ unfinished ]
 * frame      = *( comment / field ) end-of-line        ; ends at a blank line; may be that line alone
 * comment    = ":" *any-char end-of-line
 * field      = 1*name-char [ ":" [ " " ] *any-char ] end-of-line
 * end-of-line = CR LF / LF / CR                        ; nothing else; a CR ends its line at once
 * bom        = EF BB BF                                ; once, at the very start; no part of the first line
 * </pre>
 *
 * <p>There are two ways to read a stream. {@link io.millrace.codec.sse.SseFrameDecoder} only finds the ends of frames.
 * It is for relays, which forward bytes. {@link io.millrace.codec.sse.SseEventParser} reads the events that a client
 * gets. {@link io.millrace.codec.sse.SseEventDecoder} is the same as a channel handler.
 * {@link io.millrace.codec.sse.SseEncoder} writes streams. All limits are in bytes and are set in constructors.
 *
 * <p>A buffer that is passed in remains with the caller and is read to its writer index. A buffer that a listener gets
 * remains with the decoder and is valid during the call. A listener that keeps bytes takes a retained slice. Decoder
 * and parser hold at most one buffer of their own, for an unfinished frame or line, and release it when they are
 * closed. {@code SseEventDecoder} releases what it reads, as channel handlers do.
 */
@NullMarked
package io.millrace.codec.sse;

import org.jspecify.annotations.NullMarked;
