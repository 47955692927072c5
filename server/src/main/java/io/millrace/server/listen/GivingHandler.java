package io.millrace.server.listen;

import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.epoll.EpollDomainSocketChannel;
import io.netty.channel.unix.FileDescriptor;
import io.netty.channel.unix.UnixChannel;
import io.netty.util.concurrent.ScheduledFuture;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The old process's side of the conversation in {@link ControlLines}. */
final class GivingHandler extends SimpleChannelInboundHandler<String> {
    private static final Logger LOG = LoggerFactory.getLogger(GivingHandler.class);

    private final List<Bound> bound;
    private final Runnable letGo;
    private final Runnable over;
    private String expected = ControlLines.HELLO;
    private @Nullable ScheduledFuture<?> limit;

    /**
     * For one conversation.
     *
     * @param letGo runs when the other process serves
     * @param over runs when the conversation has ended, however it did
     */
    GivingHandler(List<Bound> bound, Runnable letGo, Runnable over) {
        this.bound = bound;
        this.letGo = letGo;
        this.over = over;
    }

    @Override
    public void channelActive(ChannelHandlerContext ctx) {
        await(ctx, ControlLines.HELLO, ControlLines.ANSWER_S);
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        stopWaiting();
        if (!expected.isEmpty()) {
            LOG.warn("the process that was to take over is gone before it served: this one goes on");
        }
        over.run();
    }

    @Override
    protected void channelRead0(ChannelHandlerContext ctx, String line) throws Exception {
        if (!line.equals(expected)) {
            LOG.warn("no take-over: the other process sent '{}' (expected: {})", line, expected);
            ctx.close();
            return;
        }
        switch (line) {
            case ControlLines.HELLO -> name(ctx);
            case ControlLines.READY -> give(ctx);
            default -> {
                stopWaiting();
                expected = "";
                LOG.info("process {} has taken over", pid(ctx));
                letGo.run();
                ControlLines.say(ctx.channel(), ControlLines.GONE);
            }
        }
    }

    private void name(ChannelHandlerContext ctx) {
        List<Channel> channels = channels();
        ControlLines.say(ctx.channel(), ControlLines.SOCKETS + channels.size());
        for (Bound each : bound) {
            for (int i = 0; i < each.channels().size(); i++) {
                ControlLines.say(ctx.channel(), each.listener().address().toString());
            }
        }
        await(ctx, ControlLines.READY, ControlLines.ANSWER_S);
    }

    private void give(ChannelHandlerContext ctx) throws Exception {
        List<Channel> channels = channels();
        for (Channel each : channels) {
            FileDescriptor descriptor = ((UnixChannel) each).fd();
            ctx.channel().write(descriptor);
        }
        ctx.channel().flush();
        LOG.info("{} listening sockets go to process {}", channels.size(), pid(ctx));
        await(ctx, ControlLines.GO, ControlLines.START_S);
    }

    private List<Channel> channels() {
        var channels = new ArrayList<Channel>();
        bound.forEach(each -> channels.addAll(each.channels()));
        return channels;
    }

    private void await(ChannelHandlerContext ctx, String line, int seconds) {
        stopWaiting();
        expected = line;
        limit = ctx.executor().schedule(() -> tooLate(ctx), seconds, TimeUnit.SECONDS);
    }

    private void stopWaiting() {
        if (limit != null) {
            limit.cancel(false);
        }
    }

    private void tooLate(ChannelHandlerContext ctx) {
        LOG.warn("no take-over: the other process did not send '{}' in time", expected);
        ctx.close();
    }

    private static int pid(ChannelHandlerContext ctx) throws Exception {
        return ((EpollDomainSocketChannel) ctx.channel()).peerCredentials().pid();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        LOG.warn("no take-over: {}", cause.toString());
        ctx.close();
    }
}
