package io.millrace.it.edge;

import io.millrace.server.test.ScriptedUpstream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * How a server, or several in a row, read the bytes of one connection.
 *
 * @param requests method, path and body of each request that came out behind them; the field lines do not count
 * @param statuses of the answers, in order
 * @param closed whether the connection was closed, and not left waiting for more
 */
record HttpReading(List<String> requests, List<Integer> statuses, boolean closed) {
    /** A server that has not answered or closed by then waits for more bytes. */
    private static final int WAITS_MS = 2_000;

    /** The result when a client sends {@code bytes} to {@code port}, and {@code origin} is behind it. */
    static HttpReading of(String bytes, int port, ScriptedUpstream origin) throws IOException {
        int before = origin.requests().size();
        var answers = new ByteArrayOutputStream();
        boolean closed;
        try (var socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.setSoTimeout(WAITS_MS);
            socket.getOutputStream().write(bytes.getBytes(StandardCharsets.ISO_8859_1));
            closed = readAll(socket, answers);
        }
        var requests = new ArrayList<String>();
        List<String> all = origin.requests();
        all.subList(before, all.size()).forEach(request -> requests.add(meaning(request)));
        return new HttpReading(requests, statuses(answers.toString(StandardCharsets.ISO_8859_1)), closed);
    }

    /** How many requests were served. */
    long served() {
        return statuses.stream().filter(status -> status < 400).count();
    }

    boolean refused() {
        return served() < statuses.size();
    }

    /** The requests before the first one that was refused. */
    List<String> untilRefusal() {
        int served = 0;
        while (served < statuses.size() && statuses.get(served) < 400) {
            served++;
        }
        return refused() ? requests.subList(0, Math.min(served, requests.size())) : requests;
    }

    /** Whether the connection was closed, or was reset after an answer. */
    private static boolean readAll(Socket socket, ByteArrayOutputStream to) throws IOException {
        try {
            int octet;
            while ((octet = socket.getInputStream().read()) >= 0) {
                to.write(octet);
            }
            return true;
        } catch (SocketTimeoutException e) {
            return false;
        } catch (IOException e) {
            return true;
        }
    }

    private static List<Integer> statuses(String answers) {
        var statuses = new ArrayList<Integer>();
        for (String answer : answers.split("(?=HTTP/1\\.[01] \\d{3} )", -1)) {
            if (answer.startsWith("HTTP/1.")) {
                statuses.add(Integer.parseInt(answer.substring(9, 12)));
            }
        }
        return statuses;
    }

    /** Method, path and body. Of an absolute target only the path counts. */
    private static String meaning(String request) {
        String[] line = request.substring(0, request.indexOf("\r\n")).split(" ", -1);
        String path = line[1].replaceFirst("^https?://[^/]*", "");
        String body = request.substring(request.indexOf("\r\n\r\n") + 4);
        return line[0] + " " + path + " [" + body + "]";
    }
}
