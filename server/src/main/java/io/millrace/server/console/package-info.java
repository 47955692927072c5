/**
 * The playground at {@code GET /}: a page and what it loads, all of it resources of this jar and kept in memory once it
 * was asked for. It is a client like any other: it asks {@code POST /chat}.
 */
package io.millrace.server.console;
