package io.millrace.it.edge;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.server.test.RawClient;
import io.millrace.server.test.ScriptedUpstream;
import java.io.EOFException;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Compares the relay with real proxies, with answers that could be read in more than one way. An answer that both
 * consider complete is the same for both, and two in a row add nothing.
 */
class ResponseAgreementTest {
    private static volatile String answer;
    private static ScriptedUpstream origin;
    private static HttpPeers http;

    @BeforeAll
    static void start() throws IOException {
        origin = ScriptedUpstream.start(connection -> {
            connection.readRequest();
            connection.send(answer);
        });
        http = new HttpPeers(origin.uri().getPort());
    }

    @AfterAll
    static void stop() throws IOException {
        http.close();
        origin.close();
    }

    static List<AmbiguousHttp.Case> responses() {
        return AmbiguousHttp.responses();
    }

    @Test
    void aPlainAnswerIsWholeToAll() throws IOException {
        for (int port : http.all()) {
            for (String body :
                    List.of("Content-Length: 2\r\n\r\nok", "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n")) {
                answer = "HTTP/1.1 200 OK\r\nConnection: close\r\n" + body;
                assertThat(wholeAnswer(port)).isEqualTo("200 ok");
            }
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("responses")
    void answersAreTheSameToAll(AmbiguousHttp.Case one) throws IOException {
        answer = one.bytes();
        String here = wholeAnswer(http.relay());
        for (HttpPeers.Peer peer : http.peers()) {
            String there = wholeAnswer(peer.alone());
            if (here != null && there != null) {
                assertThat(there).as(peer.name()).isEqualTo(here);
            }
            assertThat(wholeAnswer(peer.behind())).as("%s behind", peer.name()).isIn(there, here, null);
            assertThat(wholeAnswer(peer.inFront()))
                    .as("%s in front", peer.name())
                    .isIn(there, here, null);
        }
    }

    /** Status and body of an answer that is not a failure and is complete, else null. */
    private static String wholeAnswer(int port) throws IOException {
        try (var client = new RawClient(port)) {
            client.send("GET", "/a", "", "Connection: close");
            String head = client.readHead();
            int status = Integer.parseInt(head.substring(9, 12));
            if (status == 204 || status == 304) {
                return status + " ";
            }
            RawClient.Response response = client.readBody(head);
            boolean whole = response.end() == RawClient.End.COMPLETE || response.end() == RawClient.End.CLOSED;
            return whole && status < 500 ? status + " " + response.text() : null;
        } catch (EOFException e) {
            return null;
        }
    }
}
