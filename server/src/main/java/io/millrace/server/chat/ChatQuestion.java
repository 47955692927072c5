package io.millrace.server.chat;

import io.millrace.codec.text.TextUnit;
import io.millrace.codec.translate.ModelRequest;
import io.millrace.codec.translate.Part;
import io.millrace.codec.translate.Sampling;
import io.millrace.codec.translate.Turn;
import io.millrace.server.chat.ChatFields.Message;
import io.millrace.server.format.RequestRefusal;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import java.util.List;
import java.util.Locale;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/** A request to {@code /chat} after it was read: the question to a model, and the form of the answer. Immutable. */
final class ChatQuestion {
    private static final List<ChatForm> NAMED = List.of(ChatForm.SSE, ChatForm.JSON, ChatForm.TEXT);

    private final @Nullable String model;
    private final ModelRequest request;
    private final ChatForm form;
    private final TextUnit unit;
    private final Parts parts;
    private final boolean eventSource;
    private final long startNs;
    private final LongSupplier clock;

    /** Which parts of an answer have events. */
    private enum Parts {
        TEXT,
        ALL
    }

    private ChatQuestion(
            @Nullable String model,
            ModelRequest request,
            ChatForm form,
            TextUnit unit,
            Parts parts,
            boolean eventSource,
            LongSupplier clock) {
        this.model = model;
        this.request = request;
        this.form = form;
        this.unit = unit;
        this.parts = parts;
        this.eventSource = eventSource;
        this.clock = clock;
        startNs = clock.getAsLong();
    }

    /**
     * Reads a complete request.
     *
     * @param clock in nanoseconds; it measures the time to the first text
     * @throws RequestRefusal if the request cannot be answered
     */
    static ChatQuestion read(HttpRequest head, byte[] body, LongSupplier clock) throws RequestRefusal {
        ChatFields fields = ChatRequestReader.read(head, body);
        List<Message> messages = fields.messages;
        if (fields.prompt != null) {
            if (messages != null) {
                throw RequestRefusal.of("messages", "There is a prompt, too: expected is one of prompt and messages.");
            }
            messages = List.of(new Message("user", fields.prompt));
        }
        if (messages == null) {
            throw RequestRefusal.of("prompt", "prompt is missing, and so is messages.");
        }
        if (messages.stream().allMatch(m -> m.role().equals("system"))) {
            throw RequestRefusal.of("messages", "messages has none but of the system.");
        }
        TextUnit unit = ChatFields.choice("chunk", fields.chunk, List.of(TextUnit.values()));
        ChatForm form = form(fields, head);
        boolean streams = form == ChatForm.SSE || form == ChatForm.JSON;
        ModelRequest request = modelRequest(fields, messages, form != ChatForm.ANSWER);
        return new ChatQuestion(
                fields.model,
                request,
                form,
                unit == null ? TextUnit.TOKEN : unit,
                parts(fields, form),
                streams && head.method().equals(HttpMethod.GET),
                clock);
    }

    /** The time on the clock of this question. */
    long nowNs() {
        return clock.getAsLong();
    }

    /** The model that the client asks for, or null. */
    @Nullable
    String model() {
        return model;
    }

    /** The request to the model. */
    ModelRequest request() {
        return request;
    }

    /** The form of the answer. */
    ChatForm form() {
        return form;
    }

    /**
     * Creates a writer for a stream that answers it.
     *
     * @param kept the id of a stream that the client may come back to; null if it may not
     * @param attemptNs when the attempt began
     */
    ChatStream newStream(@Nullable String kept, long attemptNs) {
        String prefix = kept == null ? "" : kept + ".";
        return new ChatStream(form, unit, parts == Parts.ALL, eventSource ? prefix : null, times(attemptNs));
    }

    /** Creates a writer for a whole answer. */
    ChatAnswer newAnswer() {
        return new ChatAnswer(startNs, clock);
    }

    private static Parts parts(ChatFields fields, ChatForm form) throws RequestRefusal {
        Parts parts = ChatFields.choice("parts", fields.parts, List.of(Parts.values()));
        if (parts == Parts.ALL && form != ChatForm.JSON) {
            throw RequestRefusal.of("parts", "parts is all, which only a stream of format json has.");
        }
        return parts == null ? Parts.TEXT : parts;
    }

    private ChatTimes times(long attemptNs) {
        return new ChatTimes(clock, startNs, attemptNs);
    }

    private static ChatForm form(ChatFields fields, HttpRequest head) throws RequestRefusal {
        ChatForm named = ChatFields.choice("format", fields.format, NAMED);
        if (Boolean.FALSE.equals(fields.stream)) {
            if (named != null && named != ChatForm.JSON) {
                throw RequestRefusal.of("stream", "stream is false, but format asks for a stream.");
            }
            return ChatForm.ANSWER;
        }
        if (named != null) {
            return named;
        }
        return fields.stream == null && wantsAnswer(head) ? ChatForm.ANSWER : ChatForm.SSE;
    }

    /**
     * Whether the client accepts JSON and does not mention event streams. A client that accepts anything gets a stream.
     */
    private static boolean wantsAnswer(HttpRequest head) {
        boolean json = false;
        for (String value : head.headers().getAll(HttpHeaderNames.ACCEPT)) {
            String lower = value.toLowerCase(Locale.ROOT);
            if (lower.contains("text/event-stream")) {
                return false;
            }
            json |= lower.contains("application/json");
        }
        return json;
    }

    private static ModelRequest modelRequest(ChatFields fields, List<Message> messages, boolean stream) {
        var sampling = new Sampling(fields.temperature, null, null, null, null, null, List.of());
        var request = ModelRequest.of(fields.model == null ? "" : fields.model).stream(stream)
                .includeUsage(true)
                .maxTokens(fields.maxTokens)
                .sampling(sampling);
        if (fields.system != null) {
            request.system(fields.system);
        }
        for (var message : messages) {
            switch (message.role()) {
                case "system" -> request.system(message.content());
                case "assistant" -> request.turn(Turn.Role.ASSISTANT, List.of(new Part.Text(message.content())));
                default -> request.turn(Turn.Role.USER, List.of(new Part.Text(message.content())));
            }
        }
        return request.build();
    }
}
