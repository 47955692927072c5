package io.millrace.bench.peers;

import jakarta.ws.rs.client.Client;
import jakarta.ws.rs.client.ClientBuilder;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.Response;
import java.io.ByteArrayInputStream;
import java.util.concurrent.Future;
import org.glassfish.jersey.client.ClientConfig;
import org.glassfish.jersey.client.ClientRequest;
import org.glassfish.jersey.client.ClientResponse;
import org.glassfish.jersey.client.spi.AsyncConnectorCallback;
import org.glassfish.jersey.client.spi.Connector;
import org.glassfish.jersey.media.sse.EventInput;
import org.glassfish.jersey.media.sse.SseFeature;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** Jersey's client over a connection that is in memory: only this way can its reader be had. */
@State(Scope.Thread)
public class JerseyEvents {
    private Client client;
    private byte[] stream;

    /** Starts the client. */
    @Setup
    public void open() {
        client = ClientBuilder.newClient(
                new ClientConfig(SseFeature.class).connectorProvider((owner, configuration) -> new InMemory()));
    }

    /** Stops the client. */
    @TearDown
    public void close() {
        client.close();
    }

    /** The number of characters of data in the events of {@code response}. */
    int chars(byte[] response) {
        stream = response;
        int chars = 0;
        try (EventInput input =
                client.target("http://127.0.0.1/").request().get(EventInput.class)) {
            for (var event = input.read(); event != null; event = input.read()) {
                chars += event.readData().length();
            }
        }
        return chars;
    }

    private final class InMemory implements Connector {
        @Override
        public ClientResponse apply(ClientRequest request) {
            var response = new ClientResponse(Response.Status.OK, request);
            response.header(HttpHeaders.CONTENT_TYPE, SseFeature.SERVER_SENT_EVENTS);
            response.setEntityStream(new ByteArrayInputStream(stream));
            return response;
        }

        @Override
        public Future<?> apply(ClientRequest request, AsyncConnectorCallback callback) {
            throw new UnsupportedOperationException("requests are not asynchronous here");
        }

        @Override
        public String getName() {
            return "in memory";
        }

        @Override
        public void close() {}
    }
}
