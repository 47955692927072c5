package io.millrace.it.edge;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.server.transport.Transport;
import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.http.DefaultFullHttpRequest;
import io.netty.handler.codec.http.HttpClientCodec;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.zip.CRC32;

/**
 * Opens many streams at an even rate, each on a connection of its own, and prints one line of JSON when all have ended or
 * the time is up: {@link Report}. Arguments: port, streams, milliseconds in which they begin, seconds after which it gives
 * up. One event loop does it all, so nothing is shared.
 */
final class LoadClient {
    private static final String PATH = "/v1/chat/completions";
    private static final byte[] BODY =
            "{\"model\":\"mock\",\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":\"Hello\"}]}"
                    .getBytes(StandardCharsets.US_ASCII);
    private static final long TICK_MS = 10;

    private final Bootstrap bootstrap;
    private final int port;
    private final int streams;
    private final CountDownLatch open;
    private final Map<String, Integer> bodies = new TreeMap<>();
    private final Map<String, Integer> failures = new TreeMap<>();
    private int started;
    private int openNow;
    private int openPeak;

    /**
     * What came of it.
     *
     * @param openPeak the most streams that were in progress at once
     * @param bodies how many whole responses had a body, by its {@link LoadClient#fingerprint}
     * @param failures how many streams failed, by what happened
     */
    record Report(int openPeak, Map<String, Integer> bodies, Map<String, Integer> failures) {}

    private LoadClient(EventLoopGroup loop, Transport transport, int port, int streams) {
        this.port = port;
        this.streams = streams;
        open = new CountDownLatch(streams);
        bootstrap = new Bootstrap()
                .group(loop)
                .channel(transport.clientChannel())
                .handler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        channel.pipeline().addLast(new HttpClientCodec(), new Stream());
                    }
                });
    }

    /** Runs once. */
    public static void main(String[] args) throws Exception {
        int streams = Integer.parseInt(args[1]);
        var transport = Transport.best();
        var loop = transport.newEventLoops(1, "load");
        var client = new LoadClient(loop, transport, Integer.parseInt(args[0]), streams);
        long startNs = System.nanoTime();
        double perMs = (double) streams / Integer.parseInt(args[2]);
        var ramp = loop.scheduleAtFixedRate(
                () -> client.startUntil((int) ((System.nanoTime() - startNs) / 1e6 * perMs)),
                0,
                TICK_MS,
                TimeUnit.MILLISECONDS);
        boolean ended = client.open.await(Integer.parseInt(args[3]), TimeUnit.SECONDS);
        ramp.cancel(false);
        var report = loop.submit(() -> client.report(ended)).get();
        System.out.println(new ObjectMapper().writeValueAsString(report));
        loop.shutdownGracefully(0, 1, TimeUnit.SECONDS).await();
    }

    /** Tells bodies apart: their length and their CRC-32. */
    static String fingerprint(byte[] body) {
        var crc = new CRC32();
        crc.update(body);
        return fingerprint(body.length, crc);
    }

    private static String fingerprint(long length, CRC32 crc) {
        return length + " bytes, " + Long.toHexString(crc.getValue());
    }

    private Report report(boolean ended) {
        if (!ended) {
            failures.put("not ended in time", (int) open.getCount());
        }
        return new Report(openPeak, bodies, failures);
    }

    private void startUntil(int due) {
        for (; started < Math.min(due, streams); started++) {
            bootstrap.connect("127.0.0.1", port).addListener((ChannelFuture connect) -> {
                if (!connect.isSuccess()) {
                    end(failures, "connect: " + connect.cause().getMessage());
                }
            });
        }
    }

    private void end(Map<String, Integer> where, String what) {
        where.merge(what, 1, Integer::sum);
        open.countDown();
    }

    /** One stream. */
    private final class Stream extends SimpleChannelInboundHandler<HttpObject> {
        private final CRC32 crc = new CRC32();
        private long length;
        private boolean ended;

        @Override
        public void channelActive(ChannelHandlerContext ctx) {
            openNow++;
            openPeak = Math.max(openPeak, openNow);
            var request = new DefaultFullHttpRequest(
                    HttpVersion.HTTP_1_1, HttpMethod.POST, PATH, Unpooled.wrappedBuffer(BODY));
            request.headers().set("host", "127.0.0.1").set("content-length", BODY.length);
            ctx.writeAndFlush(request);
        }

        @Override
        protected void channelRead0(ChannelHandlerContext ctx, HttpObject message) {
            if (message.decoderResult().isFailure()) {
                fail(ctx, "not HTTP");
            } else if (message instanceof HttpResponse response
                    && response.status().code() != 200) {
                fail(ctx, "status " + response.status());
            } else if (message instanceof HttpContent content) {
                onContent(content.content());
                if (message instanceof LastHttpContent && !ended) {
                    ended = true;
                    end(bodies, fingerprint(length, crc));
                    ctx.close();
                }
            }
        }

        @Override
        public void channelInactive(ChannelHandlerContext ctx) {
            openNow--;
            fail(ctx, "connection closed");
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            fail(ctx, cause.toString());
        }

        private void onContent(ByteBuf bytes) {
            length += bytes.readableBytes();
            crc.update(bytes.nioBuffer());
        }

        private void fail(ChannelHandlerContext ctx, String what) {
            if (!ended) {
                ended = true;
                end(failures, what);
                ctx.close();
            }
        }
    }
}
