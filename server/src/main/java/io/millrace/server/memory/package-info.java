/**
 * The account of the memory that the process holds for others: how much of each kind, and how much is allowed. It is a
 * room of its own because connections of clients and to upstreams both hold memory. The door is
 * {@link io.millrace.server.memory.LoopMemory}, one for each event loop;
 * {@link io.millrace.server.memory.MemoryAccount} sums them. A pool has room, is short of room, or is full. The account
 * counts buffers, and holds none. {@link io.millrace.server.memory.Machine} says what the JVM knows of the machine.
 */
@NullMarked
package io.millrace.server.memory;

import org.jspecify.annotations.NullMarked;
