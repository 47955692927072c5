package io.millrace.server.access;

import io.millrace.bench.AverageTimeBenchmark;
import io.millrace.codec.dialect.Dialect;
import io.millrace.server.config.ClientSettings;
import io.millrace.server.config.ClientSettings.ClientLimits;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.RelayConfig.ClientAccess;
import io.millrace.server.limit.ClientUses;
import io.millrace.server.limit.SharedLimits;
import io.netty.handler.codec.http.DefaultHttpHeaders;
import io.netty.handler.codec.http.DefaultHttpRequest;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpVersion;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Setup;

/**
 * The cost of a request's key and of its client's limits. One operation finds the key in a head of twelve fields,
 * removes it, looks up its hash among 1,000 clients, takes a place, a request and tokens, and settles and returns them
 * at the end.
 */
public class AdmissionBenchmark extends AverageTimeBenchmark {
    private static final int CLIENTS = 1_000;
    private static final int TOKENS = 300;

    private final HttpRequest request =
            new DefaultHttpRequest(HttpVersion.HTTP_1_1, HttpMethod.POST, "/v1/chat/completions");
    private Access access;
    private Access shared;
    private String key;
    private String unknown;

    @Setup
    public void setUp() {
        var random = new SecureRandom();
        var most = ClientLimits.DEFAULT
                .with(l -> l.requestsPerSecond = 1_000_000)
                .with(l -> l.burst = 10_000_000)
                .with(l -> l.tokensPerMinute = 1_000_000_000_000L);
        var clients = new ArrayList<ClientSettings>();
        for (int i = 0; i < CLIENTS; i++) {
            key = "Bearer " + KeyFormat.generate(random);
            var stored = new ClientSettings.Key(KeyFormat.hash(key.substring("Bearer ".length())), null);
            clients.add(ClientSettings.of("client-" + i).with(c -> {
                c.keys = List.of(stored);
                c.limits = most;
            }));
        }
        unknown = "Bearer " + KeyFormat.generate(random);
        access = access(clients, new ClientUses(() -> 10_000));
        var limits = new SharedLimits(2);
        limits.onUp(System.nanoTime());
        shared = access(clients, new ClientUses(() -> 10_000, limits));
        for (int i = 0; i < 11; i++) {
            request.headers().set("x-stainless-field-" + i, "a value of the usual length");
        }
    }

    private static Access access(List<ClientSettings> clients, ClientUses uses) {
        var config = RelayConfig.defaults().with(c -> c.clients = ClientAccess.of(Path.of("clients.yaml")));
        return new Access(config, new Clients(clients, client -> uses.of(client.name(), client.limits())));
    }

    /** From the head to the end, without the fields of the response. */
    @Benchmark
    public Object served() {
        return serve(access);
    }

    /** The same with limits that nodes share: what Redis is to be told is counted, too. Telling it is not measured. */
    @Benchmark
    public Object servedWithSharedLimits() {
        return serve(shared);
    }

    private Object serve(Access by) {
        request.headers().set("authorization", key);
        Caller caller = by.identify(request, null, null);
        caller.begin(System.nanoTime());
        caller.reserve(1_000, TOKENS, System.nanoTime());
        caller.end(TOKENS, TOKENS, System.nanoTime());
        return caller.refusal();
    }

    /** A key that no client has. */
    @Benchmark
    public Object refused() {
        request.headers().set("authorization", unknown);
        return access.identify(request, null, null).refusal();
    }

    /** The response fields with the remaining limits. */
    @Benchmark
    public HttpHeaders told() {
        request.headers().set("authorization", key);
        Caller caller = access.identify(request, null, null);
        var headers = new DefaultHttpHeaders();
        caller.decorate(headers, Dialect.CHAT, System.nanoTime());
        return headers;
    }
}
