package io.millrace.bench.run;

import io.millrace.bench.stream.Clients;
import io.millrace.bench.stream.Endpoint;
import io.millrace.bench.stream.RequestTemplate;
import io.millrace.bench.stream.Sessions;
import io.millrace.bench.stream.StreamPlan;
import io.millrace.server.config.Upstream;
import io.millrace.server.tls.UpstreamTls;
import io.netty.handler.ssl.SslContext;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.UnknownHostException;
import org.jspecify.annotations.Nullable;

/** Makes plans from options. It resolves names and chooses an address that accepts connections. */
final class Plans {
    private static final int PROBE_MS = 3000;

    private final TargetOptions target;
    private final LoadOptions load;
    private final @Nullable Sessions sessions;

    /** @param sessions null if each stream is for itself */
    Plans(TargetOptions target, LoadOptions load, @Nullable Sessions sessions) {
        this.target = target;
        this.load = load;
        this.sessions = sessions;
    }

    /** The plan for the first amount of load, at {@code base}. */
    StreamPlan plan(String base) throws IOException {
        RequestTemplate template = target.template(base, System.getenv());
        var endpoint = template.endpoint();
        if (sessions != null && endpoint.isLegacyCompletion()) {
            throw new IllegalArgumentException("--turns, --trace: legacy completions have no messages (expected: a URL"
                    + " that ends with /chat/completions, /responses, /messages or :streamGenerateContent)");
        }
        var version = target.http2 ? Upstream.Http.Version.HTTP_2 : Upstream.Http.Version.HTTP_1_1;
        SslContext tls = endpoint.tls() ? UpstreamTls.context(target.ca, version) : null;
        return new StreamPlan(
                template,
                address(endpoint),
                tls,
                target.prompts(load.seed),
                load.shapes().get(0),
                Clients.of(load.behaviours(), load.limits()),
                load.seed,
                sessions);
    }

    /** The first address of the host that accepts a connection; the first address if none does. */
    private static InetSocketAddress address(Endpoint endpoint) throws IOException {
        InetAddress[] all;
        try {
            all = InetAddress.getAllByName(endpoint.host());
        } catch (UnknownHostException e) {
            String expected = endpoint.host().contains(".") ? "" : " (expected: http://HOST:PORT/PATH)";
            throw new IOException("cannot resolve the host name " + endpoint.host() + expected, e);
        }
        for (var address : all) {
            try (var socket = new Socket()) {
                socket.connect(new InetSocketAddress(address, endpoint.port()), PROBE_MS);
                return new InetSocketAddress(address, endpoint.port());
            } catch (IOException e) {
                if (all.length == 1) {
                    throw new IOException("cannot connect to " + endpoint.authority() + ": " + e.getMessage(), e);
                }
            }
        }
        throw new IOException("cannot connect to any of the " + all.length + " addresses of " + endpoint.authority());
    }
}
