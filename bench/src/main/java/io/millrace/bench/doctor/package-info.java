/**
 * {@code millrace doctor}: finds what is wrong on the way of a stream.
 *
 * <p>The door is {@code DoctorCommand}. A {@code Probe} sends a request on a plain blocking socket and records what comes and when,
 * as an {@code Answer}. {@code Doctor} judges answers and makes a {@code Diagnosis} of its findings; {@code Fixes} says what mends
 * each. It runs on the thread of the command, and the trial of a silence on a second one. Bodies are byte arrays; no buffer of
 * Netty outlives a call.
 */
@NullMarked
package io.millrace.bench.doctor;

import org.jspecify.annotations.NullMarked;
