/**
 * The engine of every load. It begins streams when they are due, on connections that it keeps. It takes the time of
 * each read of the socket before it parses anything, and reports every end to a {@code StreamObserver}.
 *
 * <p>The doors are {@code Load}, which runs a {@code StreamPlan}; {@code StreamObserver}, which receives the events;
 * and {@code BodyReader}, which decides how closely bodies are inspected. {@code Load} holds one {@code Lane} per event
 * loop. Lanes share only the count of requests. A {@code Feed} says when streams are due. A {@code Wire} is one
 * connection. {@code OutputReader} inspects frames with the codec's inspectors. A {@code StreamSample} is one stream.
 *
 * <p>A stream is due, waits for its turn or its connection, is sent, is answered, and ends with one {@code Outcome}.
 * The engine reports the end of each stream exactly once. A connection is idle, busy or closed.
 *
 * <p>{@code Requests} owns a lane's requests and hands out retained duplicates. The write releases them. {@code Wire}
 * releases the buffers that it reads. A reader that keeps bytes (the codec's frame decoder) copies them and frees the
 * copies when it is closed.
 */
@NullMarked
package io.millrace.bench.stream;

import org.jspecify.annotations.NullMarked;
