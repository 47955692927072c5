package io.millrace.server.address;

import static io.millrace.server.address.ProxyHeads.ascii;
import static io.millrace.server.address.ProxyHeads.buffer;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.embedded.EmbeddedChannel;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ProxyHeadHandlerTest {
    private static final String HEAD = "PROXY TCP4 203.0.113.1 10.0.0.1 4711 443\r\n";

    private final List<String> events = new ArrayList<>();
    private final EmbeddedChannel channel = new EmbeddedChannel(new ProxyHeadHandler(opened -> {
        events.add("open for " + ClientAddress.text(ClientAddress.of(opened)));
        opened.pipeline().addLast(new Recorder());
    }));

    @AfterEach
    void close() {
        channel.finishAndReleaseAll();
    }

    @Test
    void theHandlersBehindAreAddedForTheClientThatTheHeadNames() throws UnknownHostException {
        channel.writeInbound(buffer(ascii(HEAD + "GET /")));
        channel.writeInbound(buffer(ascii(" HTTP")));
        assertThat(events).containsExactly("open for 203.0.113.1", "active", "GET /", "complete", " HTTP", "complete");
        assertThat(ClientAddress.of(channel)).isEqualTo(InetAddress.getByName("203.0.113.1"));
        assertThat(channel.pipeline().get(ProxyHeadHandler.class)).isNull();
    }

    @Test
    void aHeadMayComeByteByByte() {
        for (byte each : ascii(HEAD)) {
            channel.writeInbound(buffer(new byte[] {each}));
        }
        assertThat(events).containsExactly("open for 203.0.113.1", "active", "complete");
        channel.writeInbound(buffer(ascii("GET")));
        assertThat(events).endsWith("GET", "complete");
    }

    @Test
    void aHeadWithoutAnAddressKeepsThePeer() {
        channel.writeInbound(buffer(ProxyHeads.v2(0x20, 0x00)));
        assertThat(events).startsWith("open for unix", "active");
        assertThat(ClientAddress.of(channel)).isNull();
    }

    @Test
    void anythingElseCloses() {
        channel.writeInbound(buffer(ascii("GET / HTTP/1.1\r\n\r\n")));
        assertThat(channel.isOpen()).isFalse();
        assertThat(events).isEmpty();
    }

    @Test
    void aHeadThatDoesNotComeInTimeCloses() {
        channel.freezeTime();
        channel.writeInbound(buffer(ascii("PROXY TCP4 ")));
        channel.advanceTimeBy(2_000, TimeUnit.MILLISECONDS);
        channel.runScheduledPendingTasks();
        assertThat(channel.isOpen()).isTrue();
        channel.advanceTimeBy(1_000, TimeUnit.MILLISECONDS);
        channel.runScheduledPendingTasks();
        assertThat(channel.isOpen()).isFalse();
        assertThat(events).isEmpty();
    }

    /** Its timer would else keep a connection that is over by then. */
    @Test
    void theTimeEndsWithTheHead() {
        channel.writeInbound(buffer(ascii(HEAD)));
        assertThat(channel.runScheduledPendingTasks()).as("no timer").isEqualTo(-1);
        assertThat(channel.isOpen()).isTrue();
    }

    @Test
    void theTimeEndsWithTheConnection() {
        channel.close();
        assertThat(channel.runScheduledPendingTasks()).as("no timer").isEqualTo(-1);
    }

    private final class Recorder extends ChannelInboundHandlerAdapter {
        @Override
        public void channelActive(ChannelHandlerContext ctx) {
            events.add("active");
        }

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object msg) {
            var bytes = (ByteBuf) msg;
            events.add(bytes.toString(StandardCharsets.ISO_8859_1));
            bytes.release();
        }

        @Override
        public void channelReadComplete(ChannelHandlerContext ctx) {
            events.add("complete");
        }
    }
}
