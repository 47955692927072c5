package io.millrace.server.chat;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.server.format.RequestRefusal;
import io.netty.handler.codec.http.DefaultHttpRequest;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpVersion;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ChatRequestFuzzTest {
    private static final int ROUNDS = 2_000;
    private static final String MULTIPART = String.join(
            "\r\n",
            "--b",
            "Content-Disposition: form-data; name=\"prompt\"",
            "Content-Type: text/plain; charset=utf-8",
            "",
            "Hi",
            "--b",
            "Content-Disposition: form-data; name=\"max_tokens\"",
            "",
            "9",
            "--b--",
            "");

    /** Any exception other than a refusal fails the test. A kind of mutation that is always refused also fails it. */
    @ParameterizedTest
    @CsvSource({
        "application/json, '{\"prompt\":\"a\\u00e9\",\"max_tokens\":12,\"temperature\":0.5e0,\"chunk\":\"word\"}'",
        "application/json, '{\"messages\":[{\"role\":\"user\",\"content\":\"b\"}],\"stream\":true}'",
        "application/x-www-form-urlencoded, prompt=a+%C3%A9&max_tokens=12&temperature=0.5&format=json",
        "multipart/form-data; boundary=b, MULTIPART",
    })
    void mutatedRequestsAreReadOrRefused(String type, String text) {
        byte[] whole = (text.equals("MULTIPART") ? MULTIPART : text).getBytes(StandardCharsets.UTF_8);
        var random = new SplittableRandom(7);
        int read = 0;
        for (int i = 0; i < ROUNDS; i++) {
            var head = new DefaultHttpRequest(HttpVersion.HTTP_1_1, HttpMethod.POST, "/chat");
            head.headers().set("content-type", type);
            try {
                ChatQuestion.read(head, mutated(whole, random), () -> 0);
                read++;
            } catch (RequestRefusal e) {
                assertThat(e.refusal().status()).isIn(400, 413, 415);
                assertThat(e).hasMessageMatching("(?s).+");
            }
        }
        assertThat(read).isBetween(1, ROUNDS - 1);
    }

    private static byte[] mutated(byte[] whole, SplittableRandom random) {
        byte[] bytes =
                random.nextInt(4) == 0 ? Arrays.copyOf(whole, random.nextInt(1, whole.length + 1)) : whole.clone();
        for (int i = random.nextInt(3); i >= 0; i--) {
            int at = random.nextInt(bytes.length);
            bytes[at] = random.nextBoolean() ? (byte) random.nextInt(256) : whole[random.nextInt(whole.length)];
        }
        return bytes;
    }
}
