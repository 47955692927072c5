package io.millrace.server.transport;

import io.netty.channel.EventLoop;
import io.netty.channel.IoEvent;
import io.netty.channel.IoHandle;
import io.netty.channel.IoHandler;
import io.netty.channel.IoHandlerContext;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.IoOps;
import io.netty.channel.IoRegistration;
import io.netty.channel.epoll.EpollIoEvent;
import io.netty.channel.epoll.EpollIoHandle;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollIoOps;
import io.netty.channel.unix.FileDescriptor;
import io.netty.util.collection.IntObjectHashMap;
import io.netty.util.collection.IntObjectMap;
import io.netty.util.concurrent.FastThreadLocal;
import io.netty.util.concurrent.ThreadAwareExecutor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Epoll for event loops of a relay. The reads of a socket may go past its channel, see {@link SocketReads}.
 *
 * <p>Connections may wait for no event at all for a while, as a connection does that is not read. Netty 4.2.18 and 4.2.20 remove such a descriptor from epoll
 * (<a href="https://github.com/netty/netty/pull/16689">netty#16689</a>), but later change its events as if it were still
 * there. The kernel answers {@code ENOENT}, Netty closes the connection, and what the peer has sent is lost. Here the
 * descriptor is registered again.
 */
final class ResumableEpoll implements IoHandler {
    private static final FastThreadLocal<ResumableEpoll> CURRENT = new FastThreadLocal<>();

    private static final Logger LOG = LoggerFactory.getLogger(ResumableEpoll.class);
    private static final int BYTES_CAME = EpollIoOps.EPOLLIN.value();

    private final IoHandler epoll;
    private final IntObjectMap<Registration> registrations = new IntObjectHashMap<>();
    private final Queue<Runnable> atEnd = new ArrayDeque<>();
    private boolean inEvents;

    private ResumableEpoll(IoHandler epoll) {
        this.epoll = epoll;
    }

    static IoHandlerFactory newFactory() {
        IoHandlerFactory epoll = EpollIoHandler.newFactory();
        return new IoHandlerFactory() {
            @Override
            public IoHandler newHandler(ThreadAwareExecutor executor) {
                return new ResumableEpoll(epoll.newHandler(executor));
            }

            @Override
            public boolean isChangingThreadSupported() {
                return epoll.isChangingThreadSupported();
            }
        };
    }

    /** Has {@code reads} read the socket of {@code handle} instead of its channel; null for the channel again. */
    static void read(EpollIoHandle handle, @Nullable SocketReads reads) {
        ResumableEpoll current = CURRENT.get();
        Registration registration =
                current == null ? null : current.registrations.get(handle.fd().intValue());
        if (registration != null && registration.isOf(handle)) {
            registration.reads = reads;
        }
    }

    /** See {@link Transport#turnEnd}. */
    static Executor turnEnd(EventLoop loop) {
        ResumableEpoll current = CURRENT.get();
        return current == null || !loop.inEventLoop()
                ? loop
                : task -> {
                    if (current.inEvents) {
                        current.atEnd.add(task);
                    } else {
                        loop.execute(task);
                    }
                };
    }

    @Override
    public IoRegistration register(IoHandle handle) throws Exception {
        return new Registration((EpollIoHandle) handle);
    }

    @Override
    public void initialize() {
        CURRENT.set(this);
        epoll.initialize();
    }

    @Override
    public int run(IoHandlerContext context) {
        inEvents = true;
        try {
            return epoll.run(context);
        } finally {
            inEvents = false;
            endTurn();
        }
    }

    private void endTurn() {
        for (Runnable task = atEnd.poll(); task != null; task = atEnd.poll()) {
            try {
                task.run();
            } catch (RuntimeException | Error e) {
                LOG.warn("a task at the end of a turn failed", e);
            }
        }
    }

    @Override
    public void prepareToDestroy() {
        epoll.prepareToDestroy();
    }

    @Override
    public void destroy() {
        epoll.destroy();
    }

    @Override
    public void wakeup() {
        epoll.wakeup();
    }

    @Override
    public boolean isCompatible(Class<? extends IoHandle> handleType) {
        return epoll.isCompatible(handleType);
    }

    /** The registration of one descriptor, which takes the place of Netty's own, and stands before its channel. */
    private final class Registration implements IoRegistration, EpollIoHandle {
        private final EpollIoHandle handle;
        private final int fd;
        private IoRegistration current;
        private boolean added;
        private boolean removed;
        private @Nullable SocketReads reads;

        Registration(EpollIoHandle handle) throws Exception {
            this.handle = handle;
            fd = handle.fd().intValue();
            current = epoll.register(this);
        }

        /** The descriptor of a connection that is closed may be that of another one by now. */
        @SuppressWarnings("ReferenceEquality")
        boolean isOf(EpollIoHandle other) {
            return handle == other;
        }

        @Override
        public FileDescriptor fd() {
            return handle.fd();
        }

        @Override
        public void registered() {
            registrations.put(fd, this);
            handle.registered();
        }

        @Override
        public void unregistered() {
            registrations.remove(fd, this);
            handle.unregistered();
        }

        @Override
        public void handle(IoRegistration registration, IoEvent event) {
            SocketReads own = reads;
            if (own == null || ((EpollIoEvent) event).ops().value() != BYTES_CAME || !own.read()) {
                handle.handle(registration, event);
            }
        }

        @Override
        public void close() {
            try {
                handle.close();
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        }

        @Override
        public synchronized long submit(IoOps ops) {
            boolean none = ((EpollIoOps) ops).value() == EpollIoOps.NONE.value();
            if (removed && none) {
                return 0;
            }
            if (removed && current.cancel()) {
                registerAgain();
            }
            removed = none && added;
            added |= !none;
            return current.submit(ops);
        }

        private void registerAgain() {
            try {
                current = epoll.register(this);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        }

        @Override
        @SuppressWarnings("TypeParameterUnusedInFormals") // of the interface
        public <T> T attachment() {
            return current.attachment();
        }

        @Override
        public boolean isValid() {
            return current.isValid();
        }

        @Override
        public synchronized boolean cancel() {
            return current.cancel();
        }
    }
}
