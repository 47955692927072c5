/**
 * The parts of HTTP that both sides need: chunked bodies, heads written as bytes, content codings, request targets, the
 * rules for header fields, and the limits and options of HTTP/2. It knows no connection. It has no single door: each
 * public class can be used alone.
 *
 * <p>Buffers remain with the caller, unless the Javadoc of a class says otherwise.
 */
@NullMarked
package io.millrace.server.http;

import org.jspecify.annotations.NullMarked;
