package io.millrace.it.clients;

import io.millrace.codec.dialect.Dialect;
import io.millrace.codec.dialect.FrameKind;
import io.millrace.codec.dialect.HeartbeatForm;
import io.millrace.server.mock.MockConfig;
import io.millrace.server.mock.MockServer;
import io.millrace.server.test.RawClient;
import io.millrace.server.test.RelayHarness;
import io.millrace.server.test.ScriptedUpstream;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/** Answers in every dialect, with heartbeats in the position that the model's name requests. Each frame is a chunk. */
final class HeartbeatServer implements AutoCloseable {
    /** The model for an answer without heartbeats. */
    static final String NONE = "beat-none";

    /** Several in a row, as in a long silence. */
    private static final int IN_A_ROW = 2;

    private static final Pattern MODEL = Pattern.compile("beat-(none|([A-Z_]+)-at-([A-Z_]+))");
    private static final String HEAD = """
            HTTP/1.1 200 OK\r
            Content-Type: text/event-stream; charset=utf-8\r
            Transfer-Encoding: chunked\r
            \r
            """;

    private final Map<Dialect, List<String>> frames = new EnumMap<>(Dialect.class);
    private final ScriptedUpstream server;

    /** The position of heartbeats in a stream. */
    enum Position {
        FIRST("before the first frame"),
        OPENED("before the first output"),
        MIDDLE("between two outputs"),
        LAST("before the last frame");

        final String title;

        Position(String title) {
            this.title = title;
        }

        /** The index of the frame that heartbeats precede. */
        int of(Dialect dialect, List<String> frames) {
            return switch (this) {
                case FIRST -> 0;
                case OPENED -> firstOutput(dialect, frames);
                case MIDDLE -> firstOutput(dialect, frames) + 2;
                case LAST -> frames.size() - 1;
            };
        }

        private static int firstOutput(Dialect dialect, List<String> frames) {
            var inspector = dialect.newInspector();
            for (int i = 0; i < frames.size(); i++) {
                byte[] frame = frames.get(i).getBytes(StandardCharsets.ISO_8859_1);
                if (inspector.inspect(Unpooled.wrappedBuffer(frame), 0, frame.length) == FrameKind.OUTPUT) {
                    return i;
                }
            }
            throw new AssertionError("no output in " + frames);
        }
    }

    HeartbeatServer() throws IOException {
        try (var mock = MockServer.start(MockConfig.defaults())) {
            for (var dialect : List.of(Dialect.CHAT, Dialect.RESPONSES, Dialect.MESSAGES, Dialect.GEMINI)) {
                frames.put(dialect, answer(mock, dialect.operation("m")));
            }
        }
        server = ScriptedUpstream.start(connection -> {
            for (String request = connection.readRequest(); request != null; request = connection.readRequest()) {
                connection.send(HEAD);
                for (String frame : framesFor(request)) {
                    connection.send(Integer.toHexString(frame.length()) + "\r\n" + frame + "\r\n");
                }
                connection.send("0\r\n\r\n");
            }
        });
    }

    /** The model for this position. */
    static String model(HeartbeatForm form, Position position) {
        return "beat-" + form + "-at-" + position;
    }

    /** Its address without a path. */
    String url() {
        return server.uri().toString();
    }

    @Override
    public void close() throws IOException {
        server.close();
    }

    private static List<String> answer(MockServer mock, String path) throws IOException {
        try (var client = new RawClient(mock.port())) {
            client.post(RelayHarness.withSpec(path, "tokens=4,usage=1"), "m", "");
            return client.readAll().frames().stream()
                    .map(frame -> new String(frame, StandardCharsets.ISO_8859_1))
                    .toList();
        }
    }

    private List<String> framesFor(String request) {
        var model = MODEL.matcher(request);
        if (!model.find()) {
            throw new IllegalArgumentException(request);
        }
        String target = request.substring(request.indexOf(' ') + 1, request.indexOf(" HTTP/"));
        var dialect = Dialect.ofPath(target);
        var plain = frames.get(dialect);
        if (model.group(2) == null) {
            return plain;
        }
        var beat = HeartbeatForm.valueOf(model.group(2)).bytes().toString(StandardCharsets.US_ASCII);
        int at = Position.valueOf(model.group(3)).of(dialect, plain);
        var beaten = new ArrayList<>(plain);
        for (int i = 0; i < IN_A_ROW; i++) {
            beaten.add(at, beat);
        }
        return beaten;
    }
}
