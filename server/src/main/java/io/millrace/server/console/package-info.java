/**
 * The playground at {@code GET /}, the page {@code Streams}, and the files that they load. All of them are resources of
 * this jar, and are kept in memory after their first request. The playground is a client like any other: it uses {@code
 * POST /chat}. The door is {@link io.millrace.server.console.Console}. It has no states, and holds no Netty buffer.
 */
@NullMarked
package io.millrace.server.console;

import org.jspecify.annotations.NullMarked;
