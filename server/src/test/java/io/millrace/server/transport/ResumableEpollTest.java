package io.millrace.server.transport;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.netty.channel.IoEvent;
import io.netty.channel.IoEventLoop;
import io.netty.channel.IoRegistration;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoEvent;
import io.netty.channel.epoll.EpollIoHandle;
import io.netty.channel.epoll.EpollIoOps;
import io.netty.channel.unix.FileDescriptor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A descriptor that waits for no event for a while, and then for some again. */
@Tag("sockets")
class ResumableEpollTest {
    private final List<EpollIoOps> events = new CopyOnWriteArrayList<>();
    private MultiThreadIoEventLoopGroup loops;
    private IoEventLoop loop;
    private FileDescriptor in;
    private FileDescriptor out;

    @BeforeEach
    void open() throws IOException {
        assumeTrue(Transport.EPOLL.isAvailable());
        loops = Transport.EPOLL.newEventLoops(1, "epoll-test");
        loop = loops.next();
        FileDescriptor[] pipe = FileDescriptor.pipe();
        in = pipe[0];
        out = pipe[1];
    }

    @AfterEach
    void close() throws IOException {
        in.close();
        out.close();
        loops.shutdownGracefully(0, 10, TimeUnit.SECONDS).awaitUninterruptibly();
    }

    @Test
    void getsEventsAgainAfterATimeWithoutAny() throws Exception {
        IoRegistration registration = register();
        for (int i = 0; i < 3; i++) {
            assertThat(submit(registration, EpollIoOps.EPOLLIN)).isEqualTo(EpollIoOps.EPOLLIN.value());
            write(1);
            await().until(() -> events.contains(EpollIoOps.EPOLLIN));
            assertThat(submit(registration, EpollIoOps.NONE)).isZero();
            assertThat(submit(registration, EpollIoOps.NONE)).isZero();
            events.clear();
        }
        assertThat(submit(registration, EpollIoOps.EPOLLIN)).isEqualTo(EpollIoOps.EPOLLIN.value());
        await().until(() -> !events.isEmpty());
    }

    @Test
    void isOverOnceItIsCancelled() throws Exception {
        IoRegistration registration = register();
        submit(registration, EpollIoOps.EPOLLIN);
        submit(registration, EpollIoOps.NONE);
        assertThat(registration.isValid()).isTrue();
        assertThat(registration.cancel()).isTrue();
        assertThat(registration.cancel()).isFalse();
        assertThat(registration.isValid()).isFalse();
        assertThat(submit(registration, EpollIoOps.EPOLLIN)).isEqualTo(-1);
        write(1);
        assertThat(loop.submit(() -> events).get()).isEmpty();
    }

    @Test
    void waitsForNothingBeforeItsFirstEvents() throws Exception {
        IoRegistration registration = register();
        assertThat(submit(registration, EpollIoOps.NONE)).isZero();
        assertThat(submit(registration, EpollIoOps.EPOLLIN)).isEqualTo(EpollIoOps.EPOLLIN.value());
        write(1);
        await().until(() -> !events.isEmpty());
    }

    private IoRegistration register() throws Exception {
        return loop.register(new EpollIoHandle() {
                    @Override
                    public FileDescriptor fd() {
                        return in;
                    }

                    @Override
                    public void handle(IoRegistration registration, IoEvent event) {
                        events.add(((EpollIoEvent) event).ops());
                    }

                    @Override
                    public void close() {}
                })
                .get();
    }

    private long submit(IoRegistration registration, EpollIoOps ops) throws Exception {
        return loop.submit(() -> registration.submit(ops)).get();
    }

    private void write(int bytes) throws IOException {
        assertThat(out.write(ByteBuffer.allocateDirect(bytes), 0, bytes)).isEqualTo(bytes);
    }
}
