/**
 * The relay among its neighbours in production: proxies in front of it, thousands of clients, a kernel, an operator.
 *
 * <p>{@code Intermediary} is a real proxy in front of the relay, {@code HttpPeers} are servers that read the same bytes, {@code
 * JavaProcess} is a program in a process of its own, and {@code ChannelTap} sees the channels of this process. A test closes what
 * it opens. {@code ManyStreamsTest} checks that the relay then holds no channel, timer or buffer.
 */
package io.millrace.it.edge;
