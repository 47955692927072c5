package io.millrace.server.mock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

final class MockServerTest {
    private static MockServer mock;

    @BeforeAll
    static void start() {
        mock = MockServer.start(MockConfig.defaults());
    }

    @AfterAll
    static void stop() {
        mock.close();
    }

    @Test
    void streamsChatToItsTerminal() throws Exception {
        try (var client = new RawClient(mock)) {
            client.post("/v1/chat/completions", "mock:tokens=5,reasoning=2", "");
            var response = client.readAll();
            assertThat(response.head()).startsWith("HTTP/1.1 200 OK\r\n").contains("Transfer-Encoding: chunked");
            assertThat(response.end()).isEqualTo(RawClient.End.COMPLETE);
            assertThat(response.text()).startsWith("data: {\"id\":").endsWith("\n\ndata: [DONE]\n\n");
            assertThat(response.frames()).hasSize(1 + 2 + 5 + 1 + 1);
            assertThat(response.text()).contains("\"content\":\"You\"", "\"content\":\" Hello\"");
        }
    }

    @Test
    void resetsAfterSoManyOutputFrames() throws Exception {
        try (var client = new RawClient(mock)) {
            client.post("/v1/chat/completions", "mock:reset_after=3", "");
            var response = client.readAll();
            assertThat(response.end()).isEqualTo(RawClient.End.RESET);
            assertThat(response.frames()).hasSize(1 + 3);
        }
    }

    @Test
    void closesInsideTheBodyAtTheByte() throws Exception {
        try (var client = new RawClient(mock)) {
            client.post("/v1/chat/completions", "mock:end_at_byte=500", "");
            var response = client.readAll();
            assertThat(response.end()).isEqualTo(RawClient.End.TRUNCATED);
            assertThat(response.body()).hasSize(500);
        }
    }

    @Test
    void noticesThatTheClientLeft() throws Exception {
        long aborted = mock.stats().streamsAborted();
        try (var client = new RawClient(mock)) {
            client.post("/v1/chat/completions", "mock:gap_ms=60000", "");
            client.readHead();
        }
        await().untilAsserted(() -> assertThat(mock.stats().streamsAborted()).isEqualTo(aborted + 1));
        var requests = mock.requests();
        assertThat(requests.get(requests.size() - 1).closedByPeerNs()).isPositive();
    }
}
