package io.millrace.server.transport;

import io.netty.channel.IoHandle;
import io.netty.channel.IoHandler;
import io.netty.channel.IoHandlerContext;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.IoOps;
import io.netty.channel.IoRegistration;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollIoOps;
import io.netty.util.concurrent.ThreadAwareExecutor;
import java.io.IOException;
import java.io.UncheckedIOException;

/**
 * Epoll for event loops whose connections may wait for no event at all for a while, as a connection does that is not
 * read. Netty 4.2.18 and 4.2.20 remove such a descriptor from epoll
 * (<a href="https://github.com/netty/netty/pull/16689">netty#16689</a>), but later change its events as if it were still
 * there. The kernel answers {@code ENOENT}, Netty closes the connection, and what the peer has sent is lost. Here the
 * descriptor is registered again.
 */
final class ResumableEpoll implements IoHandler {
    private final IoHandler epoll;

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

    @Override
    public IoRegistration register(IoHandle handle) throws Exception {
        return new Registration(handle, epoll.register(handle));
    }

    @Override
    public void initialize() {
        epoll.initialize();
    }

    @Override
    public int run(IoHandlerContext context) {
        return epoll.run(context);
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

    /** The registration of one descriptor, which takes the place of Netty's own. */
    private final class Registration implements IoRegistration {
        private final IoHandle handle;
        private IoRegistration current;
        private boolean added;
        private boolean removed;

        Registration(IoHandle handle, IoRegistration first) {
            this.handle = handle;
            current = first;
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
                current = epoll.register(handle);
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
