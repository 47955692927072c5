/**
 * What both sides need of HTTP/1.1: chunked bodies, heads written as bytes, content codings, request targets, and the
 * rules for header fields. It knows no connection.
 *
 * <p>A class here that is given a buffer leaves it with its caller, unless its Javadoc says otherwise.
 */
@NullMarked
package io.millrace.server.http;

import org.jspecify.annotations.NullMarked;
