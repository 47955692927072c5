package io.millrace.server.config.file;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.api.FuzzedDataProvider;
import com.code_intelligence.jazzer.junit.FuzzTest;
import io.millrace.server.config.ClientSettings;
import io.millrace.server.test.Pieces;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Tag;

/** A file of clients is read or refused, and no key in it is that of two clients. */
@Tag("fuzz")
class ClientsLoaderFuzzTest {
    private static final String[] WORDS = {
        "clients:\n",
        "  web:\n",
        "  app:\n",
        "  \"\": ",
        "    keys:\n",
        "    keys: [{sha256: " + "a".repeat(64) + "}]\n",
        "      - sha256: " + "b1".repeat(32) + "\n",
        "        expires: 2027-06-30\n",
        "        expires: 2027-06-30T12:00:00Z\n",
        "    certificate: spiffe://acme/web\n",
        "    from: [10.0.0.0/8, \"::/0\"]\n",
        "    routes: [chat, \"*\"]\n",
        "    models: gpt-*\n",
        "    limits: {streams: 1, requestsPerSecond: 1e9, tokensPerMinute: 99999999999999999999}\n",
        "    disabled: true\n",
        "defaults: {limits: {burst: 0}}\n",
        "{",
        "}",
        "[",
        "]",
        ": ",
        ", ",
        "- ",
        "&a ",
        "*a",
        "!!binary ",
        "---\n",
        "#",
        "\"",
        "'",
        "|\n",
        "null",
        "\0",
        "\ufeff"
    };

    @FuzzTest(maxDuration = "20s")
    void isReadOrRefused(FuzzedDataProvider fuzz) {
        boolean json = fuzz.consumeBoolean();
        String text = new String(Pieces.text(fuzz, WORDS), StandardCharsets.UTF_8);
        List<ClientSettings> clients;
        try {
            clients = ClientsLoader.read(text, json, new Problems("f"));
        } catch (ConfigException e) {
            assertThat(e.problems()).isNotEmpty();
            return;
        }
        assertThat(clients).isNotEmpty();
        Set<String> digests = new HashSet<>();
        for (ClientSettings client : clients) {
            for (ClientSettings.Key key : client.keys()) {
                assertThat(digests.add(key.sha256())).isTrue();
            }
        }
    }
}
