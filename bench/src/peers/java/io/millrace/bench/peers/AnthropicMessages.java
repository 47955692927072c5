package io.millrace.bench.peers;

import com.anthropic.core.http.Headers;
import com.anthropic.core.http.HttpResponse;
import com.anthropic.core.http.SseMessage;
import com.anthropic.core.http.StreamResponse;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/**
 * The reader inside Anthropic's SDK, the one for raw events, for the other drops those without an {@code event} line. It
 * makes text; JSON is parsed when a message is asked for its object, which is not done here. Java code cannot name it, for
 * Kotlin hides it, and so it is called by reflection, once.
 */
@State(Scope.Thread)
public class AnthropicMessages {
    private HttpResponse.Handler<StreamResponse<SseMessage>> handler;

    /** Makes the reader. */
    @Setup
    @SuppressWarnings("unchecked") // The method's type without its parameters is what reflection gives.
    public void open() throws ReflectiveOperationException {
        handler = (HttpResponse.Handler<StreamResponse<SseMessage>>) Class.forName("com.anthropic.core.handlers.SseHandler")
                .getMethod("rawSseHandler", JsonMapper.class)
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
