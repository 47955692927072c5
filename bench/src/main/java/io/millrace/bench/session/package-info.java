/**
 * Sessions of several turns: made from distributions, or read from a trace.
 *
 * <p>The doors are {@code MadeSessions} and {@code Trace}. Both give {@code Sessions}, which the engine in {@code stream}
 * runs. Each session is made from the seed and its number, when it begins, so that many and long sessions need no memory
 * before.
 */
@NullMarked
package io.millrace.bench.session;

import org.jspecify.annotations.NullMarked;
