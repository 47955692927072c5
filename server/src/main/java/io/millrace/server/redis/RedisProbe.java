package io.millrace.server.redis;

import io.millrace.server.config.RedisSettings;
import io.millrace.server.transport.Transport;
import io.netty.channel.EventLoopGroup;
import io.netty.resolver.DefaultAddressResolverGroup;
import io.netty.util.Timer;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * What can be said of a Redis server before it is used.
 *
 * @param failure why it cannot be used; null if it can
 * @param warning what is wrong with its settings; null if nothing is known
 */
public record RedisProbe(@Nullable String failure, @Nullable String warning) {
    private static final int LIMIT_S = 10;
    private static final int TRIES = 3;

    /** Connects, with TLS and the password if there are any, and asks for its settings. Must not be called on an event loop. */
    public static RedisProbe of(RedisSettings settings) {
        Transport transport = settings.socket() == null ? Transport.NIO : Transport.best();
        EventLoopGroup group = transport.newEventLoops(1, "probe");
        Timer timer = RedisLink.newTimer();
        try {
            return ask(settings, transport, group, timer);
        } catch (IllegalArgumentException e) {
            return new RedisProbe(e.getMessage(), null);
        } finally {
            end(group);
            timer.stop();
        }
    }

    private static RedisProbe ask(RedisSettings settings, Transport transport, EventLoopGroup group, Timer timer) {
        var asking = new Asking();
        var link =
                new RedisLink(settings, transport, group.next(), DefaultAddressResolverGroup.INSTANCE, timer, asking);
        asking.link = link;
        link.open();
        RedisProbe probe = asking.found
                .completeOnTimeout(new RedisProbe("it does not answer", null), LIMIT_S, TimeUnit.SECONDS)
                .join();
        link.close();
        end(group);
        link.release();
        return probe;
    }

    private static void end(EventLoopGroup group) {
        group.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly();
    }

    private static final class Asking implements RedisLink.Listener {
        private final CompletableFuture<RedisProbe> found = new CompletableFuture<>();
        private @Nullable RedisLink link;
        private int lost;

        @Override
        public void onConnected() {
            if (link != null) {
                link.call(
                        (info, refusal) -> found.complete(new RedisProbe(null, Eviction.warning(info))),
                        "INFO",
                        "memory");
            }
        }

        /** A server that refuses a password also closes the connection, which may be seen first. */
        @Override
        public void onLost(String reason) {
            if (reason.startsWith(RedisLink.REFUSED) || ++lost == TRIES) {
                found.complete(new RedisProbe(reason, null));
            }
        }
    }
}
