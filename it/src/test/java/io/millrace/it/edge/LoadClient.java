package io.millrace.it.edge;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.bench.stream.BodyReader;
import io.millrace.bench.stream.Clients;
import io.millrace.bench.stream.Endpoint;
import io.millrace.bench.stream.Load;
import io.millrace.bench.stream.LoadShape;
import io.millrace.bench.stream.Outcome;
import io.millrace.bench.stream.Prompts;
import io.millrace.bench.stream.RequestTemplate;
import io.millrace.bench.stream.StreamDetails;
import io.millrace.bench.stream.StreamObserver;
import io.millrace.bench.stream.StreamPlan;
import io.millrace.bench.stream.StreamSample;
import io.millrace.codec.dialect.Dialect;
import io.millrace.server.transport.Transport;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.net.InetSocketAddress;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.zip.CRC32;

/**
 * Opens many streams at an even rate, and prints one line of JSON when all have ended or the time is over: {@link
 * Report}. Arguments: port, streams, milliseconds in which they begin, seconds after the last begin until it gives up.
 * It has one event loop, so nothing is shared.
 */
final class LoadClient implements StreamObserver {
    private final Map<String, Integer> bodies = new TreeMap<>();
    private final Map<String, Integer> failures = new TreeMap<>();
    private int openNow;
    private int openPeak;

    /**
     * The result.
     *
     * @param openPeak the most streams that were in progress at once
     * @param bodies how many whole responses had a body, by its {@link LoadClient#fingerprint}
     * @param failures how many streams failed, by what happened
     */
    record Report(int openPeak, Map<String, Integer> bodies, Map<String, Integer> failures) {}

    private LoadClient() {}

    /** Runs once. */
    public static void main(String[] args) throws Exception {
        int streams = Integer.parseInt(args[1]);
        double rate = 1e3 * streams / Integer.parseInt(args[2]);
        long limitNs = TimeUnit.SECONDS.toNanos(Integer.parseInt(args[3]));
        var shape = LoadShape.open(rate).with(load -> {
            load.burstiness = Double.POSITIVE_INFINITY;
            load.requests = streams;
            load.drainNs = limitNs;
        });
        var client = new LoadClient();
        var transport = Transport.best();
        var loops = transport.newEventLoops(1, "load");
        var load = Load.start(client.plan(Integer.parseInt(args[0]), shape), loops, 1, transport, lane -> client);
        load.await(1, TimeUnit.HOURS);
        var report = load.of(0, () -> new Report(client.openPeak, client.bodies, client.failures));
        System.out.println(new ObjectMapper().writeValueAsString(report));
        loops.shutdownGracefully(0, 1, TimeUnit.SECONDS).await();
    }

    /** Distinguishes bodies by their length and their CRC-32. */
    static String fingerprint(byte[] body) {
        var crc = new CRC32();
        crc.update(body);
        return fingerprint(body.length, crc);
    }

    private static String fingerprint(long length, CRC32 crc) {
        return length + " bytes, " + Long.toHexString(crc.getValue());
    }

    private StreamPlan plan(int port, LoadShape shape) {
        var endpoint = new Endpoint("127.0.0.1", port, false, Dialect.CHAT.operation("mock"), Dialect.CHAT);
        return new StreamPlan(
                RequestTemplate.of(endpoint, "mock").asksUsage(false).build(),
                new InetSocketAddress(endpoint.host(), port),
                null,
                Prompts.fixed("Hello"),
                shape,
                Clients.reading(observer -> new Fingerprint()),
                1);
    }

    @Override
    public void onEnd(StreamSample stream, StreamDetails details) {
        openNow -= stream.sentNs() == 0 ? 0 : 1;
        boolean whole = stream.outcome() == Outcome.COMPLETED;
        String what = whole ? stream.detail() : stream.outcome().label() + " " + stream.detail();
        (whole ? bodies : failures).merge(what, 1, Integer::sum);
    }

    /** Reads the bodies of one connection, whatever they contain. */
    private final class Fingerprint implements BodyReader {
        private final CRC32 crc = new CRC32();
        private long length;

        @Override
        public void begin(StreamSample stream, ByteBufAllocator alloc) {
            crc.reset();
            length = 0;
            openNow++;
            openPeak = Math.max(openPeak, openNow);
        }

        @Override
        public void read(ByteBuf in, long readNs) {
            length += in.readableBytes();
            crc.update(in.nioBuffer());
            in.skipBytes(in.readableBytes());
        }

        @Override
        public long outputs() {
            return 0;
        }

        @Override
        public Outcome endBody() {
            return Outcome.COMPLETED;
        }

        @Override
        public String detail() {
            return fingerprint(length, crc);
        }

        @Override
        public void close() {}
    }
}
