package io.millrace.server.relay;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.server.own.OwnEndpoints.Asked;
import io.millrace.server.test.FakeClientStream;
import java.util.ArrayList;
import org.junit.jupiter.api.Test;

class SoughtAnswerTest {
    /** Who tells what the store has found would swallow it. */
    @Test
    void aFaultEndsTheRequestOnce() {
        var client = new FakeClientStream();
        var told = new ArrayList<String>();
        var asked = new Asked(
                client, null, null, null, null, null, false, () -> told.add("done"), () -> told.add("failed"), its -> {
                    throw new IllegalStateException("a fault");
                });
        var sought = new SoughtAnswer(asked, id -> {
            throw new IllegalStateException("another fault");
        });
        sought.onRequestEnd();
        sought.onFound(null);
        sought.onFound("another");
        sought.onClientGone("reset");
        assertThat(told).containsExactlyInAnyOrder("done", "failed");
        assertThat(client.isReset()).isTrue();
    }
}
