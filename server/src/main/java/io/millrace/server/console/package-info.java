/**
 * The playground at {@code GET /}: a page and the files that it loads. All of them are resources of this jar, and are
 * kept in memory after their first request. The page is a client like any other: it uses {@code POST /chat}. The door
 * is {@link io.millrace.server.console.Console}. It has no states, and holds no Netty buffer.
 */
@NullMarked
package io.millrace.server.console;

import org.jspecify.annotations.NullMarked;
