/**
 * How much each client may ask for: requests in progress, requests and tokens in a time, budgets of a day or month. The door
 * is {@link io.millrace.server.limit.Permit}, which one request holds from its head to its end; its state is the client's
 * {@link io.millrace.server.limit.ClientUse}, which all event loops share without locks. It holds no buffer.
 */
@NullMarked
package io.millrace.server.limit;

import org.jspecify.annotations.NullMarked;
