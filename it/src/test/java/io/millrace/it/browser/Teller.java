package io.millrace.it.browser;

import com.fasterxml.jackson.core.io.JsonStringEncoder;
import io.millrace.server.test.ScriptedUpstream;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;

/** A Chat Completions provider that answers one request at a time, piece by piece, when a test tells it to. */
final class Teller implements AutoCloseable {
    private static final String HEAD =
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
    /** The page asks for the models when it is loaded. */
    private static final String LIST = "GET ";

    private static final String END = "";

    private final BlockingQueue<String> frames = new LinkedBlockingQueue<>();
    private final ScriptedUpstream upstream;

    private Teller() throws IOException {
        upstream = ScriptedUpstream.start(this::serve);
    }

    static Teller start() throws IOException {
        return new Teller();
    }

    URI uri() {
        return upstream.uri();
    }

    /** The number of requests for an answer so far. */
    int requests() {
        return (int) upstream.requests().stream()
                .filter(request -> !request.startsWith(LIST))
                .count();
    }

    /** Sends text. */
    void tell(String text) {
        String escaped = new String(JsonStringEncoder.getInstance().quoteAsString(text));
        frame("{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"" + escaped + "\"},\"finish_reason\":null}]}");
    }

    /** Ends the answer as providers do. */
    void end() {
        frame("{\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}");
        frame("{\"choices\":[],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":3,\"total_tokens\":10}}");
        frame("[DONE]");
        frames.add(END);
    }

    /** Breaks the answer off in the middle. */
    void breakOff() {
        frames.add(END);
    }

    private void frame(String data) {
        frames.add("data: " + data + "\n\n");
    }

    private void serve(ScriptedUpstream.Connection connection) throws IOException {
        for (String request = connection.readRequest(); request != null; request = connection.readRequest()) {
            if (request.startsWith(LIST)) {
                connection.send("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
                continue;
            }
            connection.send(HEAD);
            for (String frame = next(); !frame.equals(END); frame = next()) {
                byte[] bytes = frame.getBytes(StandardCharsets.UTF_8);
                // The connection sends each char as a byte.
                String octets = new String(bytes, StandardCharsets.ISO_8859_1);
                connection.send(Integer.toHexString(bytes.length) + "\r\n" + octets + "\r\n");
            }
            connection.send("0\r\n\r\n");
        }
    }

    private String next() throws IOException {
        try {
            return frames.take();
        } catch (InterruptedException e) {
            throw new IOException(e);
        }
    }

    @Override
    public void close() throws IOException {
        upstream.close();
    }
}
