/**
 * Decides which origin serves a request, whether the request is tried again, and when an origin rests.
 *
 * <p>The door is {@link io.millrace.server.balance.UpstreamState}, the state of one upstream for all event loops. It has a
 * {@link io.millrace.server.balance.OriginState} for each origin, which serves, is ejected, or is tried with one request.
 * An {@link io.millrace.server.balance.OriginAttempt} reports the outcome of one attempt.
 *
 * <p>Nothing here works by itself. Every method is given the time, as {@link java.lang.System#nanoTime} counts it, and the
 * randomness that it may use. State that event loops share has a lock of its own. The lock is held for a few dozen
 * instructions, once or twice for each attempt and never for a frame. It holds no buffer.
 */
@NullMarked
package io.millrace.server.balance;

import org.jspecify.annotations.NullMarked;
