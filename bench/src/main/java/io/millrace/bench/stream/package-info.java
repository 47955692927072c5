/**
 * A client that times event streams: it begins them when they are due, on connections that it keeps, stamps what comes at the
 * read of the socket before anything is parsed, and tells a {@code StreamObserver} of every gap and of every end.
 *
 * <p>{@code Load} holds one {@code Lane} per event loop; a lane shares nothing with the others. {@code Arrivals} says when
 * streams are due, {@code Wire} is one connection, {@code OutputReader} looks at its frames with the codec's inspectors, and
 * a {@code StreamSample} is what came of one stream.
 */
package io.millrace.bench.stream;
