package io.millrace.server.downstream;

import io.millrace.server.address.AddressDebts;
import io.millrace.server.address.AddressSet;
import io.millrace.server.config.Http2;
import io.millrace.server.config.Limits;
import io.millrace.server.config.Timeouts;
import io.millrace.server.memory.LoopMemory;
import io.millrace.server.timing.Sweeper;
import io.millrace.server.timing.Turns;
import io.netty.channel.Channel;

/**
 * The parts that every client's connection is made with, whatever its protocol.
 *
 * @param sweeper of the channel's event loop
 * @param memory of the channel's event loop
 * @param requests how many requests begin in one turn of the channel's event loop
 * @param limits as they were when the client connected
 * @param timeouts as they were when the client connected
 * @param http2 as it was when the client connected
 * @param trusted the proxies that are believed
 * @param debts of the clients of all connections
 */
record ConnectionContext(
        Channel channel,
        ConnectionTerms terms,
        RequestHandler handler,
        Sweeper sweeper,
        LoopMemory memory,
        Turns requests,
        Limits limits,
        Timeouts timeouts,
        Http2 http2,
        AddressSet trusted,
        AddressDebts debts) {}
