/**
 * A fake LLM provider: speaks the dialects of the real ones on plain HTTP/1.1, at a given pace, and fails on request in
 * every way that they do. The demo, the tests and the benchmarks stand on it.
 *
 * <p>One request lives on one event loop: {@code MockConnection} reads it, {@code MockRoutes} decides what it gets,
 * {@code MockExchange} sends that with its pauses and faults, {@code BodyWriter} puts it on the wire.
 */
package io.millrace.server.mock;
