package io.millrace.server.warmup;

import io.millrace.codec.dialect.Dialect;
import io.millrace.server.mock.MockConfig;
import io.millrace.server.mock.MockServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.util.List;
import java.util.stream.Stream;

/** The mock's answers, recorded once. If the mock gave each answer, the JVM would also compile the mock. */
final class Recordings {
    private static final String MODEL = "warm-up";
    private static final List<Dialect> SPOKEN =
            List.of(Dialect.CHAT, Dialect.RESPONSES, Dialect.MESSAGES, Dialect.GEMINI);

    /** Header fields like those of real clients. */
    private static final List<String> FIELDS =
            Stream.of("""
                    Accept: */*
                    """, """
                    Authorization: Bearer warm-up
                    Accept: application/json
                    User-Agent: warm-up/1.0
                    Connection: keep-alive
                    """, """
                    x-api-key: warm-up
                    anthropic-version: 2023-06-01
                    Accept-Encoding: gzip, deflate
                    """).map(fields -> fields.replace("\n", "\r\n")).toList();

    private static final List<Kind> KINDS = List.of(Kind.values());
    private static final List<Style> STYLES = List.of(Style.values());
    private static final int DIALECTS = SPOKEN.size();
    /** The index of the numbers of the kind, the dialect and the style in a request. Each number has one digit. */
    private static final int KIND_AT = "POST /".length();

    private static final int DIALECT_AT = KIND_AT + 1;
    private static final int STYLE_AT = DIALECT_AT + 1;

    private static final int[] BODY_LENGTHS =
            STYLES.stream().mapToInt(style -> style.body(MODEL).length()).toArray();

    private final byte[][] answers = new byte[KINDS.size() * DIALECTS * STYLES.size()][];
    private final byte[][] requests = new byte[answers.length * FIELDS.size()][];

    private Recordings() {}

    /** Records one answer of the mock for each kind, style and dialect. */
    static Recordings make() throws IOException {
        var recordings = new Recordings();
        try (var mock = MockServer.start(MockConfig.defaults())) {
            for (int i = 0; i < recordings.answers.length; i++) {
                Style style = STYLES.get(i / DIALECTS % STYLES.size());
                String model = "mock:" + KINDS.get(i / DIALECTS / STYLES.size()).spec;
                String path = SPOKEN.get(i % DIALECTS).operation(model);
                byte[] answer = record(mock.uri().getPort(), Http.request(path, "", style.body(model)));
                recordings.answers[i] = Http.map(answer, style::write);
            }
        }
        for (int i = 0; i < recordings.requests.length; i++) {
            int dialect = i % DIALECTS;
            int style = i / DIALECTS % STYLES.size();
            int kind = i / DIALECTS / STYLES.size() % KINDS.size();
            String path = "/" + kind + dialect + style + SPOKEN.get(dialect).operation(MODEL);
            String fields = FIELDS.get(i / recordings.answers.length);
            recordings.requests[i] =
                    Http.request(path, fields, STYLES.get(style).body(MODEL));
        }
        return recordings;
    }

    /** A request for a stream of this kind. The number decides its dialect, its style and its head. */
    byte[] request(Kind kind, int number) {
        int dialect = number % DIALECTS;
        int style = number / DIALECTS % STYLES.size();
        int fields = number / DIALECTS / STYLES.size() % FIELDS.size();
        return requests[((fields * KINDS.size() + KINDS.indexOf(kind)) * STYLES.size() + style) * DIALECTS + dialect];
    }

    /** The length of a request whose head ends at {@code headEnd}. */
    static int requestLength(byte[] request, int headEnd) {
        return headEnd + BODY_LENGTHS[request[STYLE_AT] - '0'];
    }

    /** The kind of stream that a request asks for. */
    static Kind kind(byte[] request) {
        return KINDS.get(request[KIND_AT] - '0');
    }

    /** The whole response to a request. */
    byte[] answer(byte[] request) {
        int kind = request[KIND_AT] - '0';
        int dialect = request[DIALECT_AT] - '0';
        int style = request[STYLE_AT] - '0';
        return answers[(kind * STYLES.size() + style) * DIALECTS + dialect];
    }

    private static byte[] record(int port, byte[] request) throws IOException {
        try (var socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.getOutputStream().write(request);
            return Http.readResponse(socket.getInputStream());
        }
    }
}
