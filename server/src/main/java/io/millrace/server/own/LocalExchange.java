package io.millrace.server.own;

import io.millrace.codec.dialect.Dialect;
import io.millrace.server.downstream.ClientStream;
import io.millrace.server.downstream.RequestListener;
import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.http.DefaultHttpHeaders;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A request that the relay answers itself. It is read to its end first, so that the connection can serve the next
 * request.
 */
final class LocalExchange implements RequestListener {
    private static final Logger LOG = LoggerFactory.getLogger(LocalExchange.class);

    private final ClientStream downstream;
    private final Runnable answer;
    private final Runnable done;
    private final Runnable failed;
    private long received;
    private boolean ended;

    /**
     * Creates the exchange of a request that {@code answer} answers.
     *
     * @param done called once, before the answer, or when the client has closed
     * @param failed called if the answer fails
     */
    LocalExchange(ClientStream downstream, Runnable answer, Runnable done, Runnable failed) {
        this.downstream = downstream;
        this.answer = answer;
        this.done = done;
        this.failed = failed;
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
    public void onRequestRefused(int status, String code, String message) {
        if (end()) {
            refuse(downstream, status, code, message);
        }
    }

    @Override
    public void onClientGone(String reason) {
        end();
    }

    private void answerOnce() {
        if (end()) {
            answer();
        }
    }

    /** Ends the exchange. Returns false if it was over already. */
    private boolean end() {
        boolean first = !ended;
        ended = true;
        if (first) {
            done.run();
        }
        return first;
    }

    private void answer() {
        try {
            downstream.onOwnAnswer();
            answer.run();
        } catch (RuntimeException | StackOverflowError e) {
            fail(downstream, failed, e);
        }
    }

    /** Tells the client, the log and {@code failed} that the answer could not be made. */
    static void fail(ClientStream downstream, Runnable failed, Throwable failure) {
        LOG.error("the relay's own answer failed", failure);
        failed.run();
        if (downstream.responseStarted()) {
            downstream.reset();
        } else {
            refuse(downstream, 500, "internal_error", "The relay failed to answer. Its log says why.");
        }
    }

    private static void refuse(ClientStream downstream, int status, String code, String message) {
        byte[] json = Dialect.CHAT.errorBody(status, code, message, null, null);
        downstream.respond(status, json, new DefaultHttpHeaders());
    }
}
