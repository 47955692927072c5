/**
 * Shares limits between nodes through Redis.
 *
 * <p>The door is {@link io.millrace.server.redis.RedisLimits}, which sends the uses of this node and receives those of
 * the others. {@link io.millrace.server.redis.RedisLink} is a connection on one of the relay's event loops. It
 * reconnects when the connection is lost. Only this package uses Lettuce. Its classes are loaded only if Redis is
 * configured. It owns no buffers: Lettuce's buffers belong to its channel.
 */
@NullMarked
package io.millrace.server.redis;

import org.jspecify.annotations.NullMarked;
