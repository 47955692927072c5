package io.millrace.codec.translate;

import io.millrace.codec.dialect.Dialect;
import java.util.Set;
import java.util.function.Function;

/** The requests and answers of one dialect's upstreams. It has no state of an exchange. */
public final class UpstreamFormat {
    private final Function<ModelRequest, TranslatedRequest> writer;
    private final Function<Set<String>, DeltaReader> reader;

    private UpstreamFormat(
            Function<ModelRequest, TranslatedRequest> writer, Function<Set<String>, DeltaReader> reader) {
        this.writer = writer;
        this.reader = reader;
    }

    /** The format of a dialect's upstreams. {@link Dialect#UNKNOWN} has none. */
    public static UpstreamFormat of(Dialect dialect) {
        return switch (dialect) {
            case CHAT -> new UpstreamFormat(UpstreamFormat::chat, ChatDeltaReader::new);
            case MESSAGES -> new UpstreamFormat(UpstreamFormat::messages, tools -> new MessagesDeltaReader());
            case RESPONSES -> new UpstreamFormat(UpstreamFormat::responses, tools -> new ResponsesDeltaReader());
            case GEMINI -> new UpstreamFormat(UpstreamFormat::gemini, tools -> new GeminiDeltaReader());
            case UNKNOWN ->
                throw new IllegalArgumentException("dialect: " + dialect + " (expected: one that is translated)");
        };
    }

    /**
     * Writes a request.
     *
     * @throws TranslationException if this dialect cannot express a {@linkplain TranslationException#field() field}
     */
    public TranslatedRequest request(ModelRequest request) {
        return writer.apply(request);
    }

    /** Creates a reader for one stream or answer. */
    public DeltaReader reader() {
        return reader(Set.of());
    }

    /**
     * Creates a reader for one stream or answer.
     *
     * @param tools the names of the tools that the request offers
     */
    public DeltaReader reader(Set<String> tools) {
        return reader.apply(tools);
    }

    /** The error in the body of an answer with an error status. No body makes this throw. */
    public ModelError error(int status, byte[] body) {
        return UpstreamErrors.ofBody(status, body);
    }

    private static TranslatedRequest chat(ModelRequest request) {
        ModelRequest served = ChatRequestWriter.hostedTools(request).serve(request);
        return TranslatedRequest.of("/v1/chat/completions", new ChatRequestWriter(served).write(), served);
    }

    private static TranslatedRequest messages(ModelRequest request) {
        ModelRequest served = MessagesRequestWriter.HOSTED.serve(request);
        return TranslatedRequest.of("/v1/messages", new MessagesRequestWriter(served).write(), served);
    }

    private static TranslatedRequest responses(ModelRequest request) {
        ModelRequest served = ResponsesHosted.SERVED.serve(request);
        return TranslatedRequest.of("/v1/responses", new ResponsesRequestWriter(served).write(), served);
    }

    private static TranslatedRequest gemini(ModelRequest request) {
        ModelRequest served = GeminiRequestWriter.hostedTools(request).serve(request);
        String path = new GeminiPath(served.model(), served.stream()).write();
        return TranslatedRequest.of(path, new GeminiRequestWriter(served).write(), served);
    }
}
