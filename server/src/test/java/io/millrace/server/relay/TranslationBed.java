package io.millrace.server.relay;

import io.millrace.server.RelayServer;
import io.millrace.server.config.Match;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.RelayConfig.AccessLog;
import io.millrace.server.config.Route;
import io.millrace.server.config.Route.Retry;
import io.millrace.server.config.Upstream;
import io.millrace.server.mock.MockConfig;
import io.millrace.server.mock.MockRequest;
import io.millrace.server.mock.MockServer;
import io.millrace.server.test.RawClient;
import io.millrace.server.test.RelayHarness;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.Arguments;

/** A mock behind a relay as four upstreams. Each has one dialect and is chosen by a header. */
final class TranslationBed implements AutoCloseable {
    final MockServer mock = MockServer.start(MockConfig.defaults().withReplayDir(RelayHarness.STREAMS));
    final RelayServer relay;

    private TranslationBed(UnaryOperator<Route> route) {
        var upstreams = new LinkedHashMap<String, Upstream>();
        for (Api api : Api.values()) {
            upstreams.put(name(api), Upstream.of(name(api), mock.uri()).with(u -> u.dialects = List.of(api.dialect)));
        }
        var routes = Stream.of(Api.values())
                .map(api -> Route.of(name(api), new Match(List.of(), List.of(), header(api)), name(api)))
                .map(route)
                .toList();
        relay = RelayHarness.serve(RelayConfig.defaults()
                .with(c -> c.upstreams = upstreams)
                .with(c -> c.routes = routes)
                .with(c -> c.accessLog = AccessLog.OFF));
    }

    static TranslationBed start() {
        return start(route -> route.with(r -> r.retry = Retry.DEFAULT.with(t -> t.attempts = 1)));
    }

    static TranslationBed start(UnaryOperator<Route> route) {
        return new TranslationBed(route);
    }

    /** Every client with every upstream of another dialect. */
    static Stream<Arguments> pairs() {
        return Stream.of(Api.values())
                .flatMap(client -> Stream.of(Api.values())
                        .filter(upstream -> upstream != client)
                        .map(upstream -> Arguments.of(client, upstream)));
    }

    RawClient client() throws IOException {
        return new RawClient(relay.addresses().get(0).getPort());
    }

    /** One streaming request on a connection of its own, read to its end. */
    RawClient.Response stream(Api client, Api upstream, String spec) throws IOException {
        try (var raw = client()) {
            ask(raw, client, upstream, true, spec);
            return raw.readAll();
        }
    }

    /** One request for a whole answer. */
    RawClient.Response whole(Api client, Api upstream, String spec) throws IOException {
        try (var raw = client()) {
            ask(raw, client, upstream, false, spec);
            return raw.readAll();
        }
    }

    /** What the upstream itself answers to a client of its own dialect. */
    RawClient.Response direct(Api upstream, boolean stream, String spec) throws IOException {
        try (var raw = new RawClient(mock.port())) {
            ask(raw, upstream, upstream, stream, spec);
            return raw.readAll();
        }
    }

    void ask(RawClient raw, Api client, Api upstream, boolean stream, String spec, String... headers)
            throws IOException {
        var all = Stream.concat(Stream.of(header(upstream) + ": 1", "x-mock: " + spec), Stream.of(headers));
        raw.send("POST", path(client, stream), body(client, stream), all.toArray(String[]::new));
    }

    MockRequest last() {
        List<MockRequest> requests = mock.requests();
        return requests.get(requests.size() - 1);
    }

    static String path(Api api, boolean stream) {
        return api == Api.GEMINI && !stream ? "/v1beta/models/m:generateContent" : api.path;
    }

    static String body(Api api, boolean stream) {
        String turns = "[{\"role\":\"user\",\"content\":\"Hello\"}]";
        String common = "{\"model\":\"m\",\"stream\":" + stream + ",";
        return switch (api) {
            case CHAT ->
                common + (stream ? "\"stream_options\":{\"include_usage\":true}," : "") + "\"messages\":" + turns + "}";
            case RESPONSES -> common + "\"input\":\"Hello\"}";
            case MESSAGES -> common + "\"max_tokens\":1000,\"messages\":" + turns + "}";
            case GEMINI -> "{\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"Hello\"}]}]}";
        };
    }

    @Override
    public void close() {
        relay.close();
        mock.close();
    }

    static String header(Api upstream) {
        return "x-to-" + name(upstream);
    }

    static String name(Api api) {
        return api.name().toLowerCase(Locale.ROOT);
    }
}
