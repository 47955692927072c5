/**
 * Which origin serves a request, whether it is tried again, and when an origin rests.
 *
 * <p>Nothing here does any work by itself: every method is told the time, as {@link java.lang.System#nanoTime} counts it, and
 * the randomness it may use. What event loops share has a lock of its own that is held for a few dozen instructions, once or
 * twice per attempt and never per frame.
 */
package io.millrace.server.balance;
