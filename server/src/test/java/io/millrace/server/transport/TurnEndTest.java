package io.millrace.server.transport;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.IoEvent;
import io.netty.channel.IoEventLoop;
import io.netty.channel.IoRegistration;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandle;
import io.netty.channel.epoll.EpollIoOps;
import io.netty.channel.unix.FileDescriptor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Tasks at the end of a turn of an event loop. */
@Tag("sockets")
class TurnEndTest {
    private final List<String> order = new CopyOnWriteArrayList<>();

    @ParameterizedTest
    @EnumSource(names = {"EPOLL", "NIO"})
    void tasksOfATaskRunBehindIt(Transport transport) throws Exception {
        EventLoopGroup loops = transport.newEventLoops(1, "turn-test");
        EventLoop loop = loops.next();
        loop.submit(() -> {
                    Transport.turnEnd(loop).execute(() -> order.add("end"));
                    order.add("task");
                })
                .sync();
        await().until(() -> order.equals(List.of("task", "end")));
        loops.shutdownGracefully(0, 10, TimeUnit.SECONDS).sync();
    }

    @Test
    void tasksOfAnEventRunBeforeThoseOfTheLoopAndEachFailsAlone() throws Exception {
        MultiThreadIoEventLoopGroup loops = Transport.EPOLL.newEventLoops(1, "turn-test");
        IoEventLoop loop = loops.next();
        Executor turnEnd = loop.submit(() -> Transport.turnEnd(loop)).get();
        FileDescriptor[][] pipes = {FileDescriptor.pipe(), FileDescriptor.pipe()};
        for (FileDescriptor[] pipe : pipes) {
            IoRegistration registration =
                    loop.register(new OnEvent(pipe[0], turnEnd, loop)).get();
            assertThat(pipe[1].write(ByteBuffer.allocateDirect(1), 0, 1)).isEqualTo(1);
            loop.submit(() -> registration.submit(EpollIoOps.EPOLLIN)).sync();
        }
        await().until(() -> order.size() == 6);
        loops.shutdownGracefully(0, 10, TimeUnit.SECONDS).sync();
        for (FileDescriptor[] pipe : pipes) {
            pipe[0].close();
            pipe[1].close();
        }
        assertThat(order.indexOf("end")).isLessThan(order.indexOf("task"));
        assertThat(order).filteredOn("event"::equals).hasSize(2);
        assertThat(order).filteredOn("end"::equals).hasSize(2);
    }

    /** Reads a byte, and asks for a task of either kind. */
    private final class OnEvent implements EpollIoHandle {
        private final FileDescriptor in;
        private final Executor turnEnd;
        private final Executor loop;

        OnEvent(FileDescriptor in, Executor turnEnd, Executor loop) {
            this.in = in;
            this.turnEnd = turnEnd;
            this.loop = loop;
        }

        @Override
        public FileDescriptor fd() {
            return in;
        }

        @Override
        public void handle(IoRegistration registration, IoEvent event) {
            try {
                in.read(ByteBuffer.allocateDirect(1), 0, 1);
            } catch (IOException e) {
                throw new AssertionError(e);
            }
            order.add("event");
            loop.execute(() -> order.add("task"));
            turnEnd.execute(() -> {
                order.add("end");
                throw new IllegalStateException("a task that fails");
            });
        }

        @Override
        public void close() {}
    }
}
