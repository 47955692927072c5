package io.millrace.it.clients;

import static org.assertj.core.api.Assertions.assertThat;

import com.anthropic.client.okhttp.AnthropicOkHttpClient;
import com.anthropic.models.messages.MessageCreateParams;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import io.millrace.server.test.ClientFile;
import io.millrace.server.test.RelayHarness;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.function.IntFunction;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What SDKs do when the relay itself refuses them for a limit. Without retries they raise their own kind of error. With
 * their two retries they succeed, which they can only if they wait as long as they are told: their own waits are shorter
 * than the bucket needs for a request.
 */
@Tag("sockets")
class OwnLimitsTest {
    /** A request each 2.5 seconds. The SDKs themselves would wait 1.5 seconds at most, in both retries together. */
    private static final String LIMITS = "limits: {requestsPerSecond: 0.4, burst: 1}";

    private static final int MOST = 5;
    private static final String MESSAGE = "This client has sent too many requests.";

    @TempDir
    private Path directory;

    /** What an SDK is to do. */
    record Task(String name, String baseUrl, String key, int most) {}

    /** What it did: the class and message of the error without retries, and the text that it got with them. */
    record Said(String name, String error, String message, String text) {}

    @Test
    void sdksWaitAsTheyAreToldAndRaiseTheirErrorForLimits() {
        var clients = new ClientFile(directory);
        List<String> keys = Stream.of("openai", "anthropic", "openai-java", "anthropic-java")
                .map(name -> clients.add(name, LIMITS))
                .toList();
        var atOnce = Executors.newFixedThreadPool(3);
        try (var harness = RelayHarness.start(clients::in)) {
            String url = "http://127.0.0.1:" + harness.port();
            var tasks =
                    List.of(new Task("openai", url, keys.get(0), MOST), new Task("anthropic", url, keys.get(1), MOST));
            var node = CompletableFuture.supplyAsync(() -> new NodeSdk("limited.mjs").run(tasks, Said.class), atOnce);
            var openAi = CompletableFuture.supplyAsync(
                    () -> run("openai-java", retries -> openAi(url, keys.get(2), retries)), atOnce);
            var anthropic = CompletableFuture.supplyAsync(
                    () -> run("anthropic-java", retries -> anthropic(url, keys.get(3), retries)), atOnce);
            assertThat(node.join()).hasSize(2).allSatisfy(said -> assertSaid(said, "RateLimitError"));
            assertSaid(openAi.join(), "RateLimitException");
            assertSaid(anthropic.join(), "RateLimitException");
        } finally {
            atOnce.shutdown();
        }
    }

    private static void assertSaid(Said said, String error) {
        assertThat(said.error()).as("%s", said).isEqualTo(error);
        assertThat(said.message()).as("%s", said).contains(MESSAGE);
        assertThat(said.text()).as("%s", said).isNotEmpty();
    }

    private static Said run(String name, IntFunction<Supplier<String>> sdk) {
        Supplier<String> impatient = sdk.apply(0);
        RuntimeException refused = null;
        for (int i = 0; i < MOST && refused == null; i++) {
            try {
                assertThat(impatient.get()).isNotEmpty();
            } catch (RuntimeException e) {
                refused = e;
            }
        }
        assertThat(refused).isNotNull();
        String text = sdk.apply(2).get();
        return new Said(name, refused.getClass().getSimpleName(), refused.getMessage(), text);
    }

    private static Supplier<String> openAi(String url, String key, int retries) {
        var client = OpenAIOkHttpClient.builder()
                .baseUrl(url + "/v1")
                .apiKey(key)
                .maxRetries(retries)
                .build();
        var request = ChatCompletionCreateParams.builder()
                .model("mock")
                .addUserMessage("Hi")
                .build();
        return () -> client.chat()
                .completions()
                .create(request)
                .choices()
                .get(0)
                .message()
                .content()
                .orElseThrow();
    }

    private static Supplier<String> anthropic(String url, String key, int retries) {
        var client = AnthropicOkHttpClient.builder()
                .baseUrl(url)
                .apiKey(key)
                .maxRetries(retries)
                .build();
        var request = MessageCreateParams.builder()
                .model("mock")
                .maxTokens(9)
                .addUserMessage("Hi")
                .build();
        return () -> client.messages().create(request).content().get(0).asText().text();
    }
}
