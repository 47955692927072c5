/**
 * Limits of each client: requests in progress, requests and tokens in a time, budgets of a day or month. The door is
 * {@link io.millrace.server.limit.Permit}. A request has one from its head to its end: first with a place, then also
 * with tokens, then ended. Its state is the client's {@link io.millrace.server.limit.ClientUse}, which all event loops
 * share without locks. The room holds no buffer.
 */
@NullMarked
package io.millrace.server.limit;

import org.jspecify.annotations.NullMarked;
