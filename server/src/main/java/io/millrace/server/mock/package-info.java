/**
 * A fake LLM provider. It has the dialects of the real providers over plain HTTP/1.1, sends at a given pace, and fails
 * on request in the ways in which providers fail. The demo, the tests and the benchmarks use it. It uses nothing of the
 * codec, so that tests compare two independent implementations.
 *
 * <p>The door is {@link io.millrace.server.mock.MockServer}. One request lives on one event loop:
 * {@code MockConnection} reads it, {@code MockRoutes} decides its answer, {@code MockExchange} sends that answer with
 * its pauses and faults, and {@code BodyWriter} makes the bytes. A connection reads a request, sends its response, and
 * waits for the next request or closes. Each buffer is made and written by the exchange that needs it.
 */
@NullMarked
package io.millrace.server.mock;

import org.jspecify.annotations.NullMarked;
