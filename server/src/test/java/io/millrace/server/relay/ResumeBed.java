package io.millrace.server.relay;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.RelayConfig.Resume;
import io.millrace.server.config.Route.Disconnect;
import io.millrace.server.test.RawClient;
import io.millrace.server.test.RelayHarness;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.SocketException;
import java.util.function.UnaryOperator;

/** A relay whose answers outlive their clients, and clients that come and go. */
final class ResumeBed implements AutoCloseable {
    static final String KEY = "Authorization: Bearer sk-one";

    final RelayHarness harness;

    ResumeBed() {
        this(Disconnect.DETACH, Resume.DEFAULT, config -> config);
    }

    ResumeBed(Disconnect disconnect, Resume resume, UnaryOperator<RelayConfig> change) {
        harness = RelayHarness.start(config -> change.apply(config.with(c -> c.eventLoops = 3)
                .with(c -> c.resume = resume)
                .with(c -> c.routes = config.routes().stream()
                        .map(route -> route.with(r -> r.disconnect = disconnect))
                        .toList())));
    }

    /** One response, read as far as a test wants. */
    static final class Part implements AutoCloseable {
        final RawClient client;
        final String head;
        private final ByteArrayOutputStream body = new ByteArrayOutputStream();
        private int chunkLeft;
        private boolean ended;
        private boolean silent;

        Part(RawClient client) throws IOException {
            this.client = client;
            head = client.readHead();
        }

        int status() {
            return Integer.parseInt(head.substring(9, 12));
        }

        String header(String name) {
            return RawClient.header(head, name);
        }

        /** Reads until this has so many bytes of the body, or all of it; says whether it has all. */
        boolean read(int bytes) throws IOException {
            while (!ended && body.size() < bytes) {
                if (chunkLeft == 0) {
                    chunkLeft = Integer.parseInt(client.readLine(), 16);
                    ended = chunkLeft == 0;
                }
                int take = ended ? 0 : Math.min(chunkLeft, bytes - body.size());
                for (int i = 0; i < take; i++) {
                    body.write(client.read());
                }
                chunkLeft -= take;
                if (chunkLeft == 0) {
                    client.readLine();
                }
            }
            return ended;
        }

        /** Reads all that follows; says whether that had an end. */
        boolean readAll() throws IOException {
            try {
                return read(Integer.MAX_VALUE);
            } catch (SocketException | java.io.EOFException | NumberFormatException e) {
                return false;
            }
        }

        byte[] body() {
            return body.toByteArray();
        }

        String text() {
            return body.toString(java.nio.charset.StandardCharsets.UTF_8);
        }

        /** From now on it reads nothing and says nothing, also not that it leaves. */
        void fallSilent() {
            silent = true;
        }

        @Override
        public void close() throws IOException {
            if (!silent) {
                client.close();
            }
        }
    }

    /** Begins a stream. */
    Part ask(String path, String spec) throws IOException {
        RawClient client = harness.client();
        client.send(
                "POST",
                RelayHarness.withSpec(path, spec),
                "{\"model\":\"m\",\"stream\":true,\"messages\":[],\"input\":\"a\"}",
                KEY);
        return new Part(client);
    }

    /** Asks for a stream, or for a part of it: {@code what} is its id and a query. */
    Part follow(String what, String... headers) throws IOException {
        return send("GET", what, headers);
    }

    /** Any request about a stream. */
    Part send(String method, String what, String... headers) throws IOException {
        RawClient client = harness.client();
        client.send(method, "/millrace/streams/" + what, "", headers.length == 0 ? new String[] {KEY} : headers);
        return new Part(client);
    }

    /** The id of a stream that can be read again. */
    static String idOf(Part begun) {
        assertThat(begun.header("x-millrace-resume")).isEqualTo("detach=60, keep=120");
        return begun.header("x-millrace-stream");
    }

    @Override
    public void close() {
        harness.close();
    }
}
