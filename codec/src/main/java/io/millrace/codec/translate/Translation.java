package io.millrace.codec.translate;

import io.millrace.codec.dialect.Dialect;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Translates one exchange: a request from a client's format to an upstream's dialect, and its answer back. It remembers
 * the request, because some answers depend on it. An attempt at an upstream of another dialect needs a new translation.
 */
public final class Translation {
    private final ClientFormat client;
    private final UpstreamFormat upstream;
    private boolean strict;
    private ModelRequest request = ModelRequest.of("").build();
    private Set<String> tools = Set.of();

    private Translation(ClientFormat client, UpstreamFormat upstream) {
        this.client = client;
        this.upstream = upstream;
    }

    /** A translation between two dialects, which may be the same. Neither is {@link Dialect#UNKNOWN}. */
    public static Translation of(Dialect client, Dialect upstream) {
        return of(ClientFormat.of(client), upstream);
    }

    /** A translation from any client format. */
    public static Translation of(ClientFormat client, Dialect upstream) {
        return new Translation(client, UpstreamFormat.of(upstream));
    }

    /** From now on, a request is refused if a part of it would be left out. */
    public Translation strict() {
        strict = true;
        return this;
    }

    /**
     * Translates the request.
     *
     * @param body the client's body
     * @param path the client's path, with its query
     * @param model the model to ask for in place of the client's; null to keep the client's
     * @throws TranslationException if the request cannot be translated; it has the client's field, and {@link #refusal}
     *     makes the answer
     */
    public TranslatedRequest request(byte[] body, String path, @Nullable String model) {
        try {
            ModelRequest asked = client.request(body, path);
            request = model == null ? asked : asked.withModel(model);
            TranslatedRequest translated = upstream.request(request);
            if (strict && !translated.dropped().isEmpty()) {
                String left = translated.dropped().get(0).path();
                throw new TranslationException(left, "cannot be translated for the model's provider");
            }
            tools = names(request.tools());
            request = request.withoutContent();
            return translated;
        } catch (TranslationException e) {
            if (e.field() == null) {
                throw e;
            }
            throw new TranslationException(client.fieldName(e.field()), e.getMessage());
        }
    }

    private static Set<String> names(List<Tool> tools) {
        Set<String> names = new HashSet<>();
        for (Tool tool : tools) {
            if (tool instanceof Tool.Function function) {
                names.add(function.name());
            }
        }
        return names;
    }

    /** The parts of the last translated request that answers depend on. Its content is not kept. */
    public ModelRequest request() {
        return request;
    }

    /** The body of a 400 with the reason why the request was not translated. */
    public byte[] refusal(TranslationException why, @Nullable String requestId) {
        return client.error(new ModelError(400, "unsupported_parameter", why.getMessage()), why.param(), requestId);
    }

    /** Creates a translator for the stream that answers the request. */
    public StreamTranslator stream() {
        return new StreamTranslator(upstream.reader(tools), client.stream(request));
    }

    /**
     * Creates a translator that makes one body from the stream that answers the request, for a client that asked for no
     * stream. At the end it appends the body, or the body of an error. Before that it appends nothing.
     */
    public StreamTranslator collector(@Nullable String requestId) {
        AnswerWriter writer = client.answer(request);
        return new StreamTranslator(
                upstream.reader(tools),
                writer,
                failure -> failure == null ? writer.body() : client.error(failure, null, requestId));
    }

    /**
     * Makes the client's stream from a successful answer that is not streamed. No body makes this throw. If the body is
     * not an answer, the result has a status of 400 or more, and a body of JSON.
     */
    public TranslatedAnswer streamed(byte[] body, @Nullable String requestId) {
        ByteBuf out = Unpooled.buffer(body.length + 512);
        DeltaWriter writer = client.stream(request);
        writer.to(out);
        AnswerGrammar answer = new AnswerGrammar(writer);
        upstream.reader(tools).answer(body, answer);
        ModelError failure = failureOf(answer);
        byte[] written = failure == null ? ByteBufUtil.getBytes(out) : client.error(failure, null, requestId);
        out.release();
        return new TranslatedAnswer(failure == null ? 200 : failure.status(), written, answer.usage());
    }

    private static @Nullable ModelError failureOf(AnswerGrammar answer) {
        if (answer.failure() == null && !answer.isOver()) {
            answer.error(new ModelError(502, "upstream_error", "the upstream's answer is not complete"));
        }
        return answer.failure();
    }

    /** Translates the body of a successful answer that is not streamed. No body makes this throw. */
    public TranslatedAnswer answer(byte[] body, @Nullable String requestId) {
        AnswerWriter writer = client.answer(request);
        AnswerGrammar answer = new AnswerGrammar(writer);
        upstream.reader(tools).answer(body, answer);
        ModelError failure = failureOf(answer);
        return failure == null
                ? new TranslatedAnswer(200, writer.body(), answer.usage())
                : new TranslatedAnswer(failure.status(), client.error(failure, null, requestId), answer.usage());
    }

    /** Translates the body of an answer with an error status. The status stays as it is. No body makes this throw. */
    public byte[] error(int status, byte[] body, @Nullable String requestId) {
        return client.error(upstream.error(status, body), null, requestId);
    }
}
