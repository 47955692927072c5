package io.millrace.bench.stream;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.handler.codec.CorruptedFrameException;
import io.netty.handler.codec.http2.DefaultHttp2DataFrame;
import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.DefaultHttp2HeadersFrame;
import io.netty.handler.codec.http2.Http2DataFrame;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.codec.http2.Http2HeadersFrame;
import java.util.Locale;

/** HTTP/2: a channel is one stream of a connection, and has one request. */
final class Http2Framing implements Framing {
    private final Http2Headers request;
    private final Body body;
    private Http2Headers fields = new DefaultHttp2Headers();
    private int status;
    private boolean ended;

    /** @param request the fields of all requests, without the length of the body */
    Http2Framing(Http2Headers request, Body body) {
        this.request = request;
        this.body = body;
    }

    @Override
    public void reset() {
        status = 0;
        ended = false;
    }

    @Override
    public void send(Channel channel, ByteBuf bytes) {
        var headers = new DefaultHttp2Headers(false).setAll(request).setInt("content-length", bytes.readableBytes());
        channel.write(new DefaultHttp2HeadersFrame(headers, false));
        channel.writeAndFlush(new DefaultHttp2DataFrame(bytes, true));
    }

    @Override
    public void read(Object message) {
        if (message instanceof Http2HeadersFrame head) {
            readHead(head.headers());
            ended |= head.isEndStream();
        } else if (message instanceof Http2DataFrame data) {
            if (data.content().isReadable()) {
                body.onBytes(data.content());
            }
            ended |= data.isEndStream();
        }
    }

    /** A head of an interim response is passed over, and so are trailers. */
    private void readHead(Http2Headers headers) {
        if (status != 0) {
            return;
        }
        CharSequence code = headers.status();
        if (code == null || !code.toString().matches("[1-9][0-9][0-9]")) {
            throw new CorruptedFrameException("head: no status");
        }
        int number = Integer.parseInt(code.toString());
        if (number / 100 != 1) {
            status = number;
            fields = headers;
        }
    }

    @Override
    public boolean ended() {
        return ended;
    }

    @Override
    public boolean endsAtClose() {
        return false;
    }

    @Override
    public boolean keepAlive() {
        return false;
    }

    @Override
    public int status() {
        return status;
    }

    @Override
    public String field(String name) {
        CharSequence value = fields.get(name);
        return value == null ? "" : value.toString().toLowerCase(Locale.ROOT);
    }
}
