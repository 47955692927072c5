package io.millrace.server.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millrace.server.test.ClientFile;
import io.millrace.server.test.RawClient;
import io.millrace.server.test.RelayHarness;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Keys of clients: who has one is served, and no upstream sees it. */
@Tag("sockets")
class ClientKeysTest {
    @TempDir
    private Path directory;

    private ClientFile clients;
    private String key;
    private RelayHarness harness;

    @BeforeEach
    void start() {
        clients = new ClientFile(directory);
        key = clients.add("web");
        harness = RelayHarness.start(clients::in);
    }

    @AfterEach
    void stop() {
        assertThat(harness.mock.requests().stream()
                        .flatMap(request -> java.util.stream.Stream.concat(
                                java.util.stream.Stream.of(request.uri()),
                                request.headers().entries().stream().map(Object::toString))))
                .noneMatch(text -> text.contains("mr_"));
        harness.close();
    }

    @ParameterizedTest
    @EnumSource
    void servesWhoHasAKeyAndNobodyElse(Api api) throws IOException {
        assertThat(ask(api, "X-None: 1").status()).isEqualTo(401);
        assertThat(harness.mock.requests()).isEmpty();
        assertThat(ask(api, api.dialect.keyHeader() + ": " + api.dialect.keyValue(key))
                        .status())
                .isEqualTo(200);
        assertThat(harness.mock.requests()).hasSize(1);
    }

    @Test
    void aNewKeyIsTakenAndARemovedOneRefusedSoon() throws IOException {
        String second = clients.add("other");
        clients.write();
        await().until(() -> ask(Api.CHAT, "X-Millrace-Key: " + second).status() == 200);
        clients.remove("web");
        clients.write();
        await().until(() -> ask(Api.CHAT, "X-Millrace-Key: " + key).status() == 401);
        assertThat(ask(Api.CHAT, "X-Millrace-Key: " + second).status()).isEqualTo(200);
    }

    private RawClient.Response ask(Api api, String header) throws IOException {
        try (var client = harness.client()) {
            client.send("POST", api.path, "{\"model\":\"m\",\"stream\":true}", header);
            return client.readAll();
        }
    }
}
