/**
 * What nodes share in Redis. There are two doors. {@link io.millrace.server.redis.RedisLimits} tells the store what clients
 * have used of their limits. {@link io.millrace.server.redis.RedisStreams} connects the store in which nodes keep streams.
 * {@link io.millrace.server.redis.RedisLink} is a connection on one of the relay's event loops. It connects again when it
 * loses the connection. Lettuce opens the connections, with TLS and the password, and hears the channel of a node. Commands and
 * their answers are {@link io.millrace.server.redis.RedisCommands}': those of a turn are one buffer and one write.
 *
 * <p>No other package uses Lettuce. The class path needs it only if Redis is configured. This package owns no buffers: those
 * of Lettuce belong to its channels.
 */
@NullMarked
package io.millrace.server.redis;

import org.jspecify.annotations.NullMarked;
