package io.millrace.server.downstream;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.api.FuzzedDataProvider;
import com.code_intelligence.jazzer.junit.FuzzTest;
import io.millrace.server.address.AddressDebts;
import io.millrace.server.address.AddressSet;
import io.millrace.server.config.Http2;
import io.millrace.server.config.Limits;
import io.millrace.server.config.ListenAddress.HostAndPort;
import io.millrace.server.config.Listener;
import io.millrace.server.config.Listener.Protocol;
import io.millrace.server.config.Timeouts;
import io.millrace.server.memory.MemoryAccount;
import io.millrace.server.memory.MemoryBudget;
import io.millrace.server.test.Pieces;
import io.millrace.server.timing.Sweeper;
import io.millrace.server.timing.Turns;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.http.DefaultHttpHeaders;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.DefaultHttp2HeadersEncoder;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2FrameTypes;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.codec.http2.Http2HeadersEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;

/**
 * Any frames are served, or end the connection with GOAWAY. Each request ends once. The output is bounded by the input.
 * Requests have the same meaning however the frames are cut. Nothing is held after the end.
 */
@Tag("fuzz")
class Http2ConnectionFuzzTest {
    private static final int MAX_FRAMES = 24;
    private static final int MAX_PAYLOAD = 48;
    private static final int END_STREAM = 1;
    private static final int END_HEADERS = 4;
    private static final int HEAD_BYTES = 9;
    /** The largest answer is the refusal of a request of a few bytes. */
    private static final int OUT_BYTES_A_BYTE = 64;

    private static final int OUT_BYTES_AT_FIRST = 1024;
    private static final byte[] PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] SETTINGS = frame(Http2FrameTypes.SETTINGS, 0, 0, new byte[0]);
    private static final byte[] LAST_PING =
            frame(Http2FrameTypes.PING, 0, 0, "the last".getBytes(StandardCharsets.US_ASCII));
    private static final byte[][] HEADS = {
        block("POST", "/v1/messages"),
        block("GET", "/healthz"),
        block("GET", "/../x"),
        block("CONNECT", "/"),
        block("POST", "/v1/chat/completions", "content-length", "5"),
        block("POST", "/a", "transfer-encoding", "chunked"),
        block("POST", "/a", "te", "trailers", "host", "b"),
        block("POST", "/a", "x", "y".repeat(300)),
        {}
    };

    private static byte[] block(String method, String path, String... fields) {
        Http2Headers head = new DefaultHttp2Headers(false)
                .method(method)
                .path(path)
                .scheme("http")
                .authority("a");
        for (int i = 0; i < fields.length; i += 2) {
            head.add(fields[i], fields[i + 1]);
        }
        try {
            ByteBuf block = Unpooled.buffer();
            new DefaultHttp2HeadersEncoder(Http2HeadersEncoder.ALWAYS_SENSITIVE).encodeHeaders(1, head, block);
            return ByteBufUtil.getBytes(block);
        } catch (Http2Exception e) {
            throw new IllegalStateException(e);
        }
    }

    @FuzzTest(maxDuration = "20s")
    void isServedOrToldGoAway(FuzzedDataProvider fuzz) {
        int[] cuts = Pieces.cuts(fuzz);
        ByteBuf frames = Unpooled.buffer().writeBytes(PREFACE).writeBytes(SETTINGS);
        boolean whole = true;
        for (int left = fuzz.consumeInt(1, MAX_FRAMES); left > 0 && fuzz.remainingBytes() > 0; left--) {
            whole &= anyFrame(fuzz, frames);
        }
        byte[] bytes = ByteBufUtil.getBytes(frames);
        var ways = new ArrayList<Heard>();
        for (List<byte[]> reads : Pieces.waysToRead(bytes, cuts)) {
            ways.add(hear(reads, bytes.length, whole));
        }
        if (!hasReset(bytes) && ways.stream().noneMatch(Heard::isFlood)) {
            for (Heard way : ways) {
                assertThat(way.said).as(Pieces.printable(bytes)).isEqualTo(ways.get(0).said);
            }
        }
    }

    /** A request does not begin if the read that brings it also brings its reset, so the cuts decide. */
    private static boolean hasReset(byte[] bytes) {
        var frames = Unpooled.wrappedBuffer(bytes);
        int at = PREFACE.length;
        while (at + HEAD_BYTES <= bytes.length) {
            if (frames.getByte(at + 3) == Http2FrameTypes.RST_STREAM) {
                return true;
            }
            at += HEAD_BYTES + frames.getUnsignedMedium(at);
        }
        return false;
    }

    /** Appends a frame, and says whether it is as long as its head says. */
    private static boolean anyFrame(FuzzedDataProvider fuzz, ByteBuf to) {
        int kind = fuzz.consumeInt(0, 15);
        int id = fuzz.pickValue(new int[] {0, 1, 1, 3, 3, 5, 7, 2, Integer.MAX_VALUE});
        if (kind < 8) {
            boolean body = fuzz.consumeBoolean();
            int flags = body ? END_HEADERS : END_HEADERS | END_STREAM;
            to.writeBytes(frame(Http2FrameTypes.HEADERS, flags, id, HEADS[fuzz.consumeInt(0, HEADS.length - 1)]));
            if (body) {
                to.writeBytes(frame(Http2FrameTypes.DATA, fuzz.consumeInt(0, 1), id, fuzz.consumeBytes(5)));
            }
            return true;
        }
        byte flags = fuzz.consumeByte();
        byte[] payload = fuzz.consumeBytes(fuzz.consumeInt(0, MAX_PAYLOAD));
        int start = to.writerIndex();
        int type = kind == 15 ? fuzz.consumeByte() : fuzz.consumeInt(0, 10);
        to.writeBytes(frame(type, flags, id, payload));
        if (fuzz.consumeInt(0, 31) > 0) {
            return true;
        }
        to.setMedium(start, fuzz.consumeInt(0, 0xffffff));
        return false;
    }

    private static byte[] frame(int type, int flags, int id, byte[] payload) {
        return ByteBufUtil.getBytes(Unpooled.buffer()
                .writeMedium(payload.length)
                .writeByte(type)
                .writeByte(flags)
                .writeInt(id)
                .writeBytes(payload));
    }

    /**
     * What the relay learns of the requests.
     *
     * @param isFlood whether the budget of frames ended the connection. Then what came in the same read is not heard
     */
    private record Heard(List<String> said, boolean isFlood) {}

    private static Heard hear(List<byte[]> reads, int length, boolean whole) {
        var alloc = new UnpooledByteBufAllocator(false, true);
        var channel = new EmbeddedChannel();
        channel.config().setAllocator(alloc);
        var memory = new MemoryAccount(1, new MemoryBudget(1 << 30, 1 << 30)).loop(0);
        var terms = ConnectionTerms.plain(Listener.at(new HostAndPort("127.0.0.1", 0)), Protocol.H2);
        var handler = new Answering();
        var sweeper = new Sweeper(channel.eventLoop(), Long.MAX_VALUE / 4);
        var connection = new Http2Connection(new ConnectionContext(
                channel,
                terms,
                handler,
                sweeper,
                memory,
                new Turns(channel.eventLoop(), 32),
                Limits.DEFAULT,
                Timeouts.DEFAULT,
                Http2.DEFAULT,
                AddressSet.NONE,
                new AddressDebts(System::nanoTime)));
        connection.open(true);
        for (byte[] read : reads) {
            write(channel, read);
        }
        if (whole) {
            write(channel, LAST_PING);
        }
        Written written = new Written(channel);
        assertThat(written.bytes).isLessThan((long) OUT_BYTES_AT_FIRST + (long) OUT_BYTES_A_BYTE * length);
        if (channel.isOpen()) { // behind an error it stays open for a little while
            assertThat(written.error != Written.NONE || !whole || written.ponged)
                    .as("the last PING is answered")
                    .isTrue();
        } else {
            assertThat(written.error).as("said before the end").isNotEqualTo(Written.NONE);
        }
        channel.finishAndReleaseAll();
        for (Answer answer : handler.answers) {
            assertThat(answer.ends).as(answer.said.toString()).isEqualTo(1);
        }
        assertThat(connection.requests()).isEmpty();
        assertThat(connection.heldBytes()).isZero();
        assertThat(alloc.metric().usedHeapMemory()).as("held after the end").isZero();
        return new Heard(handler.said(), written.error == Http2Error.ENHANCE_YOUR_CALM.code());
    }

    private static void write(EmbeddedChannel channel, byte[] read) {
        if (channel.isOpen()) {
            channel.writeInbound(Pieces.buffer(channel.alloc(), read));
            channel.runPendingTasks();
            channel.checkException();
        }
    }

    /** The frames that were written, which must be whole. */
    private static final class Written {
        /** No GOAWAY. */
        private static final long NONE = -1;

        private long bytes;
        private boolean ponged;
        private long error = NONE;

        private Written(EmbeddedChannel channel) {
            ByteBuf all = Unpooled.buffer();
            for (ByteBuf part = channel.readOutbound(); part != null; part = channel.readOutbound()) {
                all.writeBytes(part);
                part.release();
            }
            bytes = all.readableBytes();
            while (all.isReadable()) {
                int length = all.readUnsignedMedium();
                int type = all.readByte();
                int flags = all.readByte();
                all.skipBytes(4);
                ByteBuf payload = all.readSlice(length);
                if (type == Http2FrameTypes.GO_AWAY) {
                    error = payload.getUnsignedInt(4);
                }
                boolean last = payload.toString(StandardCharsets.US_ASCII).equals("the last");
                ponged |= type == Http2FrameTypes.PING && (flags & 1) == 1 && last;
            }
        }
    }

    /** Answers each request at its end. */
    private static final class Answering implements RequestHandler {
        private final List<Answer> answers = new ArrayList<>();
        private final List<String> refused = new ArrayList<>();

        private List<String> said() {
            var said = new ArrayList<String>(refused);
            answers.forEach(answer -> said.add(answer.said.toString()));
            return said;
        }

        @Override
        public RequestListener onRequest(ClientStream stream, HttpRequest request) {
            var answer = new Answer(stream, request);
            answers.add(answer);
            return answer;
        }

        @Override
        public void onConnected(ClientConnection connection) {}

        @Override
        public void onDisconnected(ClientConnection connection) {}

        @Override
        public void onRefused(ClientStream stream, @Nullable HttpRequest request, int status, String code) {
            refused.add(status + " " + code);
        }
    }

    private static final class Answer implements RequestListener {
        private final ClientStream stream;
        private final StringBuilder said = new StringBuilder();
        private int ends;

        private Answer(ClientStream stream, HttpRequest request) {
            this.stream = stream;
            said.append(request.method())
                    .append(' ')
                    .append(request.uri())
                    .append(request.headers().entries());
        }

        private void answer(int status) {
            ends++;
            stream.respond(status, "{}".getBytes(StandardCharsets.US_ASCII), new DefaultHttpHeaders());
        }

        @Override
        public void onRequestBody(ByteBuf content) {
            said.append(content.toString(StandardCharsets.ISO_8859_1));
            content.release();
            stream.readRequest(false); // the rest waits for the end of the read
        }

        @Override
        public void onRequestReadComplete() {
            if (ends == 0) {
                stream.readRequest(true);
            }
        }

        @Override
        public void onRequestEnd() {
            said.append(" ended");
            answer(200);
        }

        @Override
        public void onRequestRefused(int status, String code, String message) {
            said.append(" refused ").append(code);
            answer(status);
        }

        @Override
        public void onClientGone(String reason) {
            ends++;
        }
    }
}
