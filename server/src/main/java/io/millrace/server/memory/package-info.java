/**
 * The account of what the process holds for others: how much of each kind, and how much may be. A room of its own, because
 * clients' and upstreams' connections both hold.
 */
@NullMarked
package io.millrace.server.memory;

import org.jspecify.annotations.NullMarked;
