package io.millrace.server.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millrace.server.RelayServer;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.RelayConfig.AccessLog;
import io.millrace.server.config.Timeouts;
import io.millrace.server.test.RawClient;
import io.millrace.server.test.RelayHarness;
import io.millrace.server.test.ScriptedUpstream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Data of upstreams after the end of a stream, and an upstream that never takes the call. */
@Tag("sockets")
@Tag("h2")
class AfterTerminalTest {
    private static final String HEAD =
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
    private static final String TEXT =
            "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"},\"finish_reason\":null}]}\n\n";
    private static final String FINISH =
            "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
    private static final String USAGE =
            "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":1}}\n\n";
    private static final String ERROR = "data: {\"error\":{\"message\":\"no\",\"type\":\"server_error\"}}\n\n";
    private static final String DONE = "data: [DONE]\n\n";
    private static final String COMPLETED = """
            event: response.completed
            data: {"type":"response.completed","sequence_number":1,"response":{"status":"completed"}}

            """;

    @Test
    void forwardsNothingBehindTheLastFrame() throws IOException {
        assertRelayed(Api.CHAT, TEXT + DONE, "completed", TEXT + DONE + TEXT);
        assertRelayed(Api.CHAT, TEXT + DONE, "completed", TEXT + DONE, TEXT);
    }

    @Test
    void forwardsWhatBelongsBehindAFinishReasonOrTerminal() throws IOException {
        assertRelayed(Api.CHAT, TEXT + FINISH + USAGE + DONE, "completed", TEXT + FINISH, USAGE, DONE);
        assertRelayed(Api.RESPONSES, COMPLETED + DONE, "completed", COMPLETED, DONE);
    }

    @Test
    void countsAnErrorAsOneThoughDoneFollowsIt() throws IOException {
        assertRelayed(Api.CHAT, TEXT + ERROR + DONE, "upstream_error", TEXT + ERROR + DONE);
    }

    @ParameterizedTest
    @CsvSource({"data: [DONE],true", "'data: {\"choices\":[',false"})
    void forwardsATailWithoutItsBlankLineOnlyIfItIsTheTerminal(String tail, boolean forwarded) throws IOException {
        String sent = TEXT + FINISH;
        assertRelayed(Api.CHAT, forwarded ? sent + tail : sent, "completed", sent + tail);
    }

    @Test
    void answersWith504WhenTheUpstreamDoesNotTakeTheCall() throws IOException {
        var loopback = InetAddress.getLoopbackAddress();
        var waiting = new ArrayList<Socket>();
        try (var listener = new ServerSocket(0, 1, loopback)) {
            boolean full = false;
            while (!full) {
                var socket = new Socket();
                waiting.add(socket);
                full = !connects(socket, new InetSocketAddress(loopback, listener.getLocalPort()));
            }
            Timeouts timeouts = Timeouts.DEFAULT.with(t -> t.connect = Duration.ofMillis(200));
            var config = RelayConfig.relayTo(URI.create("http://127.0.0.1:" + listener.getLocalPort()));
            try (var relay = RelayHarness.serve(
                            RelayHarness.withTimeouts(config, timeouts).with(c -> c.accessLog = AccessLog.OFF));
                    var client = client(relay)) {
                client.post(Api.CHAT.path, "m", "");
                RawClient.Response response = client.readAll();
                assertThat(response.status()).isEqualTo(504);
                assertThat(Api.CHAT.refusalOf(response.text()).code()).isEqualTo("upstream_connect_timeout");
            }
        } finally {
            for (Socket socket : waiting) {
                socket.close();
            }
        }
    }

    /** Sends each part as a chunk of its own, then ends the body cleanly. */
    private static void assertRelayed(Api api, String expected, String outcome, String... parts) throws IOException {
        var response = new StringBuilder(HEAD);
        for (String part : parts) {
            response.append(Integer.toHexString(part.length()))
                    .append("\r\n")
                    .append(part)
                    .append("\r\n");
        }
        response.append("0\r\n\r\n");
        try (var upstream = ScriptedUpstream.answering(response.toString());
                var relay =
                        RelayHarness.serve(RelayConfig.relayTo(upstream.uri()).with(c -> c.accessLog = AccessLog.OFF));
                var client = client(relay)) {
            client.post(api.path, "m", "");
            RawClient.Response got = client.readAll();
            assertThat(got.text()).isEqualTo(expected);
            assertThat(got.end()).isEqualTo(RawClient.End.COMPLETE);
            await().until(() -> relay.metrics().exchanges(outcome) == 1);
        }
    }

    private static RawClient client(RelayServer relay) throws IOException {
        return new RawClient(relay.addresses().get(0).getPort());
    }

    private static boolean connects(Socket socket, InetSocketAddress address) {
        try {
            socket.connect(address, 100);
            return true;
        } catch (IOException e) {
            return false;
        }
    }
}
