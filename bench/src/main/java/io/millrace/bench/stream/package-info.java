/**
 * The engine of every load: it begins streams when they are due, on connections that it keeps, takes the time of each read of
 * the socket before anything is parsed, and tells a {@code StreamObserver} of every end.
 *
 * <p>The doors are {@code Load}, which runs a {@code StreamPlan}; {@code StreamObserver}, which is told; and {@code BodyReader},
 * which decides how closely bodies are looked at. {@code Load} holds one {@code Lane} per event loop; a lane shares nothing with
 * the others but the count of requests. A {@code Feed} says when streams are due, {@code Wire} is one connection, {@code
 * OutputReader} looks at frames with the codec's inspectors, and a {@code StreamSample} is one stream.
 *
 * <p>A stream is due, then waits for its turn or its connection, is sent, is answered, and ends with one {@code Outcome}; the
 * engine reports the end of each stream exactly once. A connection is idle, busy or closed.
 *
 * <p>{@code Requests} owns a lane's requests and hands out retained duplicates, which the write releases. {@code Wire} releases
 * what it reads; a reader that keeps bytes (the codec's frame decoder) copies them and frees them when it is closed.
 */
@NullMarked
package io.millrace.bench.stream;

import org.jspecify.annotations.NullMarked;
