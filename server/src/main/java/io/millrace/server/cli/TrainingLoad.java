package io.millrace.server.cli;

import io.millrace.codec.dialect.Dialect;
import io.millrace.server.warmup.PracticeCertificate;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import javax.net.ssl.SSLContext;

/**
 * Does in a few seconds what a relay does in production: streams of every dialect, paced and in bursts, and short
 * requests.
 */
final class TrainingLoad {
    private static final List<Dialect> DIALECTS =
            List.of(Dialect.CHAT, Dialect.RESPONSES, Dialect.MESSAGES, Dialect.GEMINI);
    private static final int BODY_CHARS = 1200;

    private final HttpClient client;
    private final URI relay;
    private int requests;

    private TrainingLoad(HttpClient client, URI relay) {
        this.client = client;
        this.relay = relay;
    }

    /**
     * A configuration with listeners in the clear and with TLS, and with all kinds of routes. The second upstream gets
     * no request, but its TLS is set up.
     */
    static String config(URI mock, PracticeCertificate certificate) {
        return """
                listeners:
                  - address: 127.0.0.1:0
                  - address: 127.0.0.1:0
                    tls: {certificates: [{cert: '%s', key: '%s'}]}
                upstreams:
                  mock: {url: %s}
                  tls: {url: 'https://localhost'}
                routes:
                  - match: {paths: "*/responses", models: "mock*"}
                    upstream: mock
                  - match: {models: nobody's}
                    upstream: tls
                  - upstream: mock
                """.formatted(certificate.cert(), certificate.key(), mock);
    }

    /**
     * Runs once. Most requests come over HTTP/1.1 in the clear. A few come over TLS, so that its classes are loaded, and
     * what is learned is not about TLS alone.
     *
     * @return how many requests were made
     * @throws IllegalStateException if the relay fails one
     */
    static int run(TrainedProcess.Addresses relay, SSLContext trust) {
        var plain = new TrainingLoad(client(HttpClient.Version.HTTP_1_1).build(), relay.plain());
        for (int round = 0; round < 3; round++) {
            plain.all(20, "tokens=150,gap_ms=uniform:1-6");
            plain.all(2, "tokens=2000");
            for (int i = 0; i < 20; i++) {
                plain.all(8, "tokens=3");
            }
        }
        int requests = plain.requests;
        for (var version : List.of(HttpClient.Version.HTTP_1_1, HttpClient.Version.HTTP_2)) {
            var secure = new TrainingLoad(client(version).sslContext(trust).build(), relay.tls());
            secure.all(5, "tokens=50,gap_ms=uniform:1-6");
            secure.all(1, "tokens=2000");
            for (int i = 0; i < 5; i++) {
                secure.all(8, "tokens=3");
            }
            requests += secure.requests;
        }
        return requests;
    }

    private static HttpClient.Builder client(HttpClient.Version version) {
        return HttpClient.newBuilder().version(version);
    }

    /** Runs this many streams of each dialect at once, to their ends. */
    private void all(int each, String spec) {
        var streams = new ArrayList<CompletableFuture<HttpResponse<Void>>>();
        for (int i = 0; i < each; i++) {
            DIALECTS.forEach(dialect -> streams.add(send(dialect, spec)));
        }
        for (var stream : streams) {
            int status = join(stream).statusCode();
            if (status != 200) {
                throw new IllegalStateException("the relay to be trained answered " + status);
            }
        }
        requests += streams.size();
    }

    private CompletableFuture<HttpResponse<Void>> send(Dialect dialect, String spec) {
        String model = "mock:" + spec;
        String prompt = "x".repeat(BODY_CHARS);
        String body = "{\"model\":\"" + model + "\",\"stream\":true,\"max_tokens\":4096,\"stream_options\":"
                + "{\"include_usage\":true},\"messages\":[{\"role\":\"user\",\"content\":\"" + prompt + "\"}]}";
        var request = HttpRequest.newBuilder(relay.resolve(dialect.operation(model)))
                .header("content-type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body))
                .build();
        return client.sendAsync(request, HttpResponse.BodyHandlers.discarding());
    }

    private static HttpResponse<Void> join(CompletableFuture<HttpResponse<Void>> stream) {
        try {
            return stream.join();
        } catch (CompletionException e) {
            throw new IllegalStateException("the relay to be trained failed: " + e.getCause(), e);
        }
    }
}
