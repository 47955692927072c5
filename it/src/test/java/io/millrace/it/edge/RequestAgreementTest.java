package io.millrace.it.edge;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.server.test.RawClient;
import io.millrace.server.test.ScriptedUpstream;
import java.io.IOException;
import java.util.Iterator;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Compares the relay with real proxies, with requests that could be read in more than one way. What the relay serves,
 * the proxies in front of it and behind it read as the same requests. What it refuses reaches no server and ends the
 * connection.
 */
class RequestAgreementTest {
    private static ScriptedUpstream origin;
    private static HttpPeers http;

    @BeforeAll
    static void start() throws IOException {
        origin = ScriptedUpstream.answering(
                "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok");
        http = new HttpPeers(origin.uri().getPort());
        // The first request of a new process may take longer than the tests wait for a server.
        for (int port : http.all()) {
            try (var client = new RawClient(port)) {
                client.send("GET", "/first", "", "Connection: close");
                assertThat(client.readAll().text()).isEqualTo("ok");
            }
        }
    }

    @AfterAll
    static void stop() throws IOException {
        http.close();
        origin.close();
    }

    static List<AmbiguousHttp.Case> requests() {
        return AmbiguousHttp.requests();
    }

    @Test
    void aPlainRequestIsServedByAll() throws IOException {
        for (int port : http.all()) {
            for (String body : List.of(
                    "Content-Length: 5\r\n\r\nhello", "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n")) {
                String bytes = "POST /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" + body;
                assertThat(HttpReading.of(bytes, port, origin).requests()).containsExactly("POST /a [hello]");
            }
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("requests")
    void requestsAreTheSameToAll(AmbiguousHttp.Case one) throws IOException {
        HttpReading here = HttpReading.of(one.bytes(), http.relay(), origin);
        assertThat(here.requests()).as("%s", here).hasSize((int) here.served());
        assertThat(here.refused() && !here.closed())
                .as("open after a refusal: %s", here)
                .isFalse();
        for (HttpPeers.Peer peer : http.peers()) {
            HttpReading there = HttpReading.of(one.bytes(), peer.alone(), origin);
            assertAgree(peer.name(), here, there);
            assertRefusesAtMost(HttpReading.of(one.bytes(), peer.behind(), origin), here);
            assertRefusesAtMost(untilOwnRefusal(HttpReading.of(one.bytes(), peer.inFront(), origin), there), there);
        }
    }

    /** Until one of them refuses, both read the same. A server that reads fewer requests has refused the next one. */
    private static void assertAgree(String peer, HttpReading here, HttpReading there) {
        List<String> ours = here.untilRefusal();
        List<String> theirs = there.untilRefusal();
        int both = Math.min(ours.size(), theirs.size());
        assertThat(ours.subList(0, both)).as(peer).isEqualTo(theirs.subList(0, both));
        if (ours.size() != theirs.size()) {
            assertThat((ours.size() < theirs.size() ? here : there).refused())
                    .as("%s: %s, here: %s", peer, there, here)
                    .isTrue();
        }
    }

    /**
     * A proxy that would refuse and close itself may get the relay's refusal first. It passes that refusal on, stays
     * open, and serves the next request, which both read in the same way.
     */
    private static HttpReading untilOwnRefusal(HttpReading both, HttpReading alone) {
        boolean refusedFirst = !both.statuses().isEmpty() && both.statuses().get(0) >= 400;
        boolean next = both.requests().equals(List.of("GET /next []"));
        return refusedFirst && next && alone.refused() && alone.requests().isEmpty()
                ? new HttpReading(List.of(), both.statuses(), both.closed())
                : both;
    }

    /** Two in a row read a connection as the first does, except for what the second refuses. */
    private static void assertRefusesAtMost(HttpReading both, HttpReading first) {
        Iterator<String> expected = first.requests().iterator();
        for (String request : both.requests()) {
            boolean found = false;
            while (!found && expected.hasNext()) {
                found = expected.next().equals(request);
            }
            assertThat(found).as("%s, first: %s", both, first).isTrue();
        }
        if (both.requests().size() < first.requests().size()) {
            assertThat(both.refused()).as("%s, first: %s", both, first).isTrue();
        }
    }
}
