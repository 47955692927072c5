package io.millrace.server.own;

import io.millrace.codec.dialect.Dialect;
import io.millrace.server.downstream.ClientStream;
import io.millrace.server.downstream.RequestListener;
import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.http.DefaultHttpHeaders;

/** A request that the relay answers by itself, once it has been read so that the connection can go on. */
final class LocalExchange implements RequestListener {
    private final ClientStream downstream;
    private final Runnable answer;
    private final Runnable done;
    private long received;
    private boolean ended;

    LocalExchange(ClientStream downstream, Runnable answer, Runnable done) {
        this.downstream = downstream;
        this.answer = answer;
        this.done = done;
    }

    @Override
    public void onRequestBody(ByteBuf content) {
        received += content.readableBytes();
        content.release();
        if (received > downstream.bodyLimit()) {
            answerOnce();
        }
    }

    @Override
    public void onRequestEnd() {
        answerOnce();
    }

    @Override
    public void onRequestReadComplete() {
        // Nothing is passed on.
    }

    @Override
    public void onRequestRefused(int status, String code, String message) {
        if (!ended) {
            ended = true;
            done.run();
            byte[] json = Dialect.CHAT.errorBody(status, code, message, null, null);
            downstream.respond(status, json, new DefaultHttpHeaders());
        }
    }

    @Override
    public void onClientGone(String reason) {
        if (!ended) {
            ended = true;
            done.run();
        }
    }

    @Override
    public void onWritable(boolean writable) {
        // The answer is small and whole.
    }

    @Override
    public void onSweep(long nowNs) {
        // The connection's own timeouts bound a request that trickles.
    }

    private void answerOnce() {
        if (!ended) {
            ended = true;
            done.run();
            answer.run();
        }
    }
}
