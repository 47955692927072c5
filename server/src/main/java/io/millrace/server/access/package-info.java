/**
 * Who may use the relay: clients by their keys, pages of other origins, and keys that distinguish senders. Its door is
 * {@link io.millrace.server.access.Access}, which makes a {@link io.millrace.server.access.Caller} for each request. A
 * caller takes its place when the request begins, and gives it back when the request ends. The room reads request heads
 * only. It holds no buffer.
 */
@NullMarked
package io.millrace.server.access;

import org.jspecify.annotations.NullMarked;
