package io.millrace.bench.peers;

import com.openai.core.http.Headers;
import com.openai.core.http.HttpResponse;
import com.openai.core.http.SseMessage;
import com.openai.core.http.StreamResponse;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/**
 * The reader inside OpenAI's SDK. It parses the data of each message as JSON in order to see errors, whoever asks. Java
 * code cannot name it, for Kotlin hides it, and so it is called by reflection, once.
 */
@State(Scope.Thread)
public class OpenAiMessages {
    private HttpResponse.Handler<StreamResponse<SseMessage>> handler;

    /** Makes the reader. */
    @Setup
    @SuppressWarnings("unchecked") // The method's type without its parameters is what reflection gives.
    public void open() throws ReflectiveOperationException {
        handler = (HttpResponse.Handler<StreamResponse<SseMessage>>) Class.forName("com.openai.core.handlers.SseHandler")
                .getMethod("sseHandler", JsonMapper.class)
                .invoke(null, new JsonMapper());
    }

    /** The number of characters of data in the messages of {@code response}. */
    int chars(byte[] response) {
        try (var messages = handler.handle(new InMemory(new ByteArrayInputStream(response)))) {
            return messages.stream()
                    .mapToInt(message -> message.getData().length())
                    .sum();
        }
    }

    private record InMemory(InputStream body) implements HttpResponse {
        @Override
        public int statusCode() {
            return 200;
        }

        @Override
        public Headers headers() {
            return Headers.builder().build();
        }

        @Override
        public void close() {}
    }
}
