/**
 * {@code millrace doctor}: finds faults on the path of a stream.
 *
 * <p>The door is {@code DoctorCommand}. A {@code Probe} sends a request on a plain blocking socket and records the
 * bytes and their times as an {@code Answer}. {@code Doctor} judges answers and puts its findings into a
 * {@code Diagnosis}. {@code Fixes} says how to correct each fault. All of it runs on the thread of the command, except
 * the test of a silence, which has a second thread. Bodies are byte arrays. No Netty buffer outlives a call.
 */
@NullMarked
package io.millrace.bench.doctor;

import org.jspecify.annotations.NullMarked;
