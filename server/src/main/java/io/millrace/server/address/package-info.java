/**
 * Who a client is by its address: ranges of addresses, what proxies say about the client behind them, and how much one
 * address may have at once.
 *
 * <p>The doors: {@link io.millrace.server.address.AddressSet} for addresses in the configuration,
 * {@link io.millrace.server.address.ProxyHeadHandler} in front of a connection's pipeline where a load balancer sends the
 * PROXY protocol, {@link io.millrace.server.address.ClientAddress} for the address of a connection and of a request, and
 * {@link io.millrace.server.address.AddressCounts} for limits. An address that is null is that of a unix socket's client.
 *
 * <p>A connection has the address of its peer until a PROXY head has given it another one. Both stay for its life. The
 * address of a request is found anew for each request.
 *
 * <p>Buffers: {@code ProxyHeadHandler} keeps the bytes of an incomplete head, and releases them when the connection closes.
 */
@NullMarked
package io.millrace.server.address;

import org.jspecify.annotations.NullMarked;
