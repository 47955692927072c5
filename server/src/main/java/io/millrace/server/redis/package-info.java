/**
 * What nodes share in Redis. The door is {@link io.millrace.server.redis.RedisLimits}, which tells the store what clients
 * use of their limits. {@link io.millrace.server.redis.RedisLink} is a connection on one of the relay's event loops, and
 * opens it again whenever it is lost. Only this room knows Lettuce, and it is loaded only where Redis is configured. It
 * owns no buffer: Lettuce's belong to its channel.
 */
@NullMarked
package io.millrace.server.redis;

import org.jspecify.annotations.NullMarked;
