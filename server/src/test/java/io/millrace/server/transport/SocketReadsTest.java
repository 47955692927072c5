package io.millrace.server.transport;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.millrace.server.memory.LoopMemory;
import io.millrace.server.memory.MemoryAccount;
import io.millrace.server.memory.MemoryBudget;
import io.millrace.server.memory.WarmBuffers;
import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.unix.UnixChannel;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Bytes of one connection, past its pipeline and through it. */
@Tag("sockets")
class SocketReadsTest {
    private final List<String> direct = new CopyOnWriteArrayList<>();
    private final List<String> piped = new CopyOnWriteArrayList<>();
    private final List<ByteBuf> held = new ArrayList<>();
    private final List<Long> addresses = new CopyOnWriteArrayList<>();
    private MultiThreadIoEventLoopGroup loops;
    private ServerSocket server;
    private Socket peer;
    private Channel channel;
    private SocketReads reads;
    private boolean holding;
    private RuntimeException thrown;

    /** Keeps slices if it is told so. */
    private final class Direct implements SocketReads.Receiver {
        @Override
        public void onBytes(ByteBuf bytes) {
            addresses.add(bytes.memoryAddress());
            direct.add(bytes.toString(US_ASCII));
            if (holding) {
                held.add(bytes.retainedSlice());
            }
            if (thrown != null) {
                throw thrown;
            }
        }

        @Override
        public void onBytesEnd(boolean filled) {
            direct.add(filled ? "filled" : "end");
        }
    }

    private final class Piped extends ChannelInboundHandlerAdapter {
        @Override
        public void channelRead(ChannelHandlerContext ctx, Object msg) {
            piped.add(((ByteBuf) msg).toString(US_ASCII));
            ((ByteBuf) msg).release();
        }

        @Override
        public void channelInactive(ChannelHandlerContext ctx) {
            piped.add("inactive");
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            piped.add(cause instanceof IOException ? "reset" : cause.getMessage());
        }
    }

    @BeforeEach
    void connect() throws Exception {
        assumeTrue(Transport.EPOLL.isAvailable());
        loops = Transport.EPOLL.newEventLoops(1, "reads-test");
        LoopMemory memory = new MemoryAccount(1, MemoryBudget.ofJvm()).loop(0);
        onLoop(() -> {
            memory.attach(loops.next());
            return null;
        });
        server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        channel = open();
        peer = server.accept();
        peer.setTcpNoDelay(true);
        reads = onLoop(() -> {
            SocketReads its = SocketReads.of(channel, new Direct());
            its.begin();
            return its;
        });
    }

    @AfterEach
    void close() throws Exception {
        peer.close();
        server.close();
        held.forEach(ByteBuf::release);
        loops.shutdownGracefully(0, 10, TimeUnit.SECONDS).sync();
    }

    @Test
    void passThePipelineFromTheirBeginToTheirEnd() throws Exception {
        send("one");
        await().until(() -> direct.equals(List.of("one", "end")));
        onLoop(() -> {
            reads.end();
            return null;
        });
        send("two");
        await().until(() -> piped.equals(List.of("two")));
        onLoop(() -> {
            reads.begin();
            return null;
        });
        send("three");
        await().until(() -> direct.equals(List.of("one", "end", "three", "end")));
        assertThat(piped).containsExactly("two");
    }

    @Test
    void useOneBufferAgainWhileNobodyHoldsIt() {
        for (int i = 1; i <= 3; i++) {
            int reads = 2 * i;
            send("frame " + i);
            await().until(() -> direct.size() == reads);
        }
        assertThat(addresses).containsOnly(addresses.get(0));
    }

    @Test
    void leaveWhatSomebodyHoldsUnchanged() {
        holding = true;
        for (int i = 1; i <= 3; i++) {
            int reads = 2 * i;
            send("frame " + i);
            await().until(() -> direct.size() == reads);
        }
        assertThat(held)
                .extracting(bytes -> new String(ByteBufUtil.getBytes(bytes), US_ASCII))
                .containsExactly("frame 1", "frame 2", "frame 3");
    }

    @Test
    void growWithWhatComes() throws Exception {
        String much = "x".repeat(3 * WarmBuffers.BYTES);
        onLoop(() -> {
            channel.config().setAutoRead(false);
            return null;
        });
        send(much + much);
        onLoop(() -> {
            channel.config().setAutoRead(true);
            return null;
        });
        await().until(() -> lengthOf(direct) == 2 * much.length());
        assertThat(direct.get(0)).hasSize(WarmBuffers.BYTES);
        assertThat(direct.get(1)).isEqualTo("filled");
        assertThat(direct).anyMatch(read -> read.length() > WarmBuffers.BYTES);
        assertThat(piped).isEmpty();
    }

    @Test
    void stopWhileTheChannelIsNotRead() throws Exception {
        onLoop(() -> {
            channel.config().setAutoRead(false);
            return null;
        });
        send("late");
        Channel other = open();
        try (Socket its = server.accept()) {
            its.getOutputStream().write('o');
            await().until(() -> piped.contains("o")); // the loop has seen what came before it
        }
        other.closeFuture().sync();
        assertThat(direct).isEmpty();
        onLoop(() -> {
            channel.config().setAutoRead(true);
            return null;
        });
        await().until(() -> direct.equals(List.of("late", "end")));
    }

    @Test
    void leaveTheEndToTheChannel() throws Exception {
        send("last");
        await().until(() -> direct.equals(List.of("last", "end")));
        peer.close();
        await().until(() -> piped.equals(List.of("inactive")));
        onLoop(() -> {
            reads.end();
            return null;
        });
    }

    @Test
    void bytesBeforeTheEndAreNotLost() throws Exception {
        send("last");
        peer.close();
        await().until(() -> piped.contains("inactive"));
        assertThat(String.join("", direct) + String.join("", piped)).contains("last");
    }

    @Test
    void tellOfAReset() throws Exception {
        peer.setSoLinger(true, 0);
        peer.close();
        await().until(() -> piped.equals(List.of("reset", "inactive")));
        assertThat(direct).isEmpty();
    }

    @Test
    void ofAClosedConnectionTakeNothingFromTheNextOneWithItsDescriptor() throws Exception {
        int descriptor = descriptorOf(channel);
        channel.close().sync();
        for (int i = 0; i < 100; i++) {
            Channel next = open();
            try (Socket its = server.accept()) {
                if (descriptorOf(next) == descriptor) {
                    onLoop(() -> {
                        reads.begin();
                        return null;
                    });
                    its.getOutputStream().write("next".getBytes(US_ASCII));
                    await().until(() -> piped.contains("next"));
                    assertThat(direct).isEmpty();
                    return;
                }
            } finally {
                next.close().sync();
            }
        }
        throw new AssertionError("descriptor " + descriptor + " did not come back");
    }

    @Test
    void tellWhatTheirReceiverThrows() {
        thrown = new IllegalStateException("broken");
        send("one");
        await().until(() -> piped.equals(List.of("broken")));
        assertThat(channel.isOpen()).isTrue();
    }

    private Channel open() throws InterruptedException {
        return new Bootstrap()
                .group(loops)
                .channel(EpollSocketChannel.class)
                .handler(new Piped())
                .connect(server.getLocalSocketAddress())
                .sync()
                .channel();
    }

    private static int descriptorOf(Channel of) {
        return ((UnixChannel) of).fd().intValue();
    }

    private static int lengthOf(List<String> reads) {
        return reads.stream()
                .filter(read -> read.startsWith("x"))
                .mapToInt(String::length)
                .sum();
    }

    private void send(String text) {
        try {
            peer.getOutputStream().write(text.getBytes(US_ASCII));
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private <T> T onLoop(Callable<T> task) throws Exception {
        return loops.next().submit(task).get();
    }
}
