package io.millrace.server.warmup;

import io.millrace.server.mock.MockConfig;
import io.millrace.server.mock.MockServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.util.List;
import java.util.stream.Stream;

/** The mock's answers, asked for once: were it to give each of them, the JVM would learn its ways, too. */
final class Recordings {
    private static final String MODEL = "warm-up";
    private static final List<String> PATHS = List.of(
            "/v1/chat/completions", "/v1/responses", "/v1/messages", "/v1beta/models/%s:streamGenerateContent?alt=sse");

    /** What clients send, more or less. */
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
    private static final int DIALECTS = PATHS.size();
    /** What stands before the number of the kind in a request. */
    private static final int KIND_AT = "POST /".length();

    private static final int BODY_LENGTH = Http.bodyLength(MODEL);

    private final byte[][] answers = new byte[KINDS.size() * DIALECTS][];
    private final byte[][] requests = new byte[KINDS.size() * DIALECTS * FIELDS.size()][];

    private Recordings() {}

    /** Asks the mock for one answer of each kind in each dialect. */
    static Recordings make() throws IOException {
        var recordings = new Recordings();
        try (var mock = MockServer.start(MockConfig.defaults())) {
            for (int i = 0; i < KINDS.size() * DIALECTS; i++) {
                String model = "mock:" + KINDS.get(i / DIALECTS).spec();
                String path = PATHS.get(i % DIALECTS).formatted(model);
                recordings.answers[i] = record(mock.uri().getPort(), Http.request(path, "", model));
            }
        }
        for (int i = 0; i < recordings.requests.length; i++) {
            int answer = i % (KINDS.size() * DIALECTS);
            String path = "/" + answer / DIALECTS + "/" + answer % DIALECTS
                    + PATHS.get(answer % DIALECTS).formatted(MODEL);
            recordings.requests[i] = Http.request(path, FIELDS.get(i / (KINDS.size() * DIALECTS)), MODEL);
        }
        return recordings;
    }

    /** A request for a stream of this kind; the number decides its dialect and its head. */
    byte[] request(Kind kind, int number) {
        int fields = number / DIALECTS % FIELDS.size();
        return requests[(fields * KINDS.size() + KINDS.indexOf(kind)) * DIALECTS + number % DIALECTS];
    }

    /** The length of a request whose head ends there. */
    static int requestLength(int headEnd) {
        return headEnd + BODY_LENGTH;
    }

    /** The kind of stream that a request asks for. */
    static Kind kind(byte[] request) {
        return KINDS.get(request[KIND_AT] - '0');
    }

    /** The whole response to a request. */
    byte[] answer(byte[] request) {
        return answers[(request[KIND_AT] - '0') * DIALECTS + request[KIND_AT + 2] - '0'];
    }

    private static byte[] record(int port, byte[] request) throws IOException {
        try (var socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.getOutputStream().write(request);
            return Http.readResponse(socket.getInputStream());
        }
    }
}
