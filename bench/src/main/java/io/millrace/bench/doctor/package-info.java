/**
 * Says what is wrong on the way of a stream: {@code millrace doctor}. A {@link io.millrace.bench.doctor.Probe} records what
 * comes and when, on a plain blocking socket; {@link io.millrace.bench.doctor.Doctor} judges it.
 */
package io.millrace.bench.doctor;
