package io.millrace.server.chat;

import static java.util.Objects.requireNonNull;

import io.millrace.codec.dialect.Dialect;
import io.millrace.codec.dialect.HeartbeatForm;
import io.millrace.codec.dialect.RelayError;
import io.millrace.codec.dialect.StreamStop;
import io.millrace.codec.translate.ModelError;
import io.millrace.codec.translate.StopReason;
import io.millrace.codec.translate.Translation;
import io.millrace.codec.translate.TranslationException;
import io.millrace.server.format.ClientSide;
import io.millrace.server.format.Interpreter;
import io.millrace.server.format.RequestRefusal;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufUtil;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** The client of one {@code /chat}. No upstream has this format. Confined to its exchange's event loop. */
public final class ChatSide implements ClientSide {
    public static final String PATH = "/chat";

    /** The value of {@code Allow}. */
    public static final String METHODS = "GET, POST, OPTIONS";

    private @Nullable ChatQuestion question;
    private @Nullable String kept;

    /** The body of the response to any other method. */
    public static byte[] methodRefused() {
        var error = new ModelError(405, "method_not_allowed", "/chat takes GET or POST.");
        return ChatFormat.errorBody(error, null);
    }

    @Override
    public Dialect dialect() {
        return Dialect.UNKNOWN;
    }

    @Override
    public String label() {
        return "text";
    }

    @Override
    public boolean isOwn() {
        return true;
    }

    @Override
    public void read(HttpRequest head, ByteBuf body) throws RequestRefusal {
        question = ChatQuestion.read(head, ByteBufUtil.getBytes(body), System::nanoTime);
    }

    @Override
    public @Nullable String model() {
        return asked().model();
    }

    @Override
    public boolean stream() {
        return asked().form() != ChatForm.ANSWER;
    }

    @Override
    public void keptAs(String streamId) {
        kept = streamId;
    }

    @Override
    public boolean translates(HttpMethod method, String path) {
        return true;
    }

    /** Translates the request. The client's model is used, even if the upstream has a usual one. */
    @Override
    public Interpreter interpreter(String uri, ByteBuf body, Asked asked) {
        String usual = model() == null ? asked.usualModel() : null;
        String model = asked.model() != null ? asked.model() : usual;
        if (model == null && model() == null) {
            throw new TranslationException("model", "model is missing, and the relay has no default model.");
        }
        var format = new ChatFormat(asked(), kept);
        var translation = Translation.of(format, asked.dialect());
        return new Interpreter(translation, translation.request(new byte[0], uri, model), format::onSilence);
    }

    @Override
    public byte[] errorBody(int status, String code, String message, @Nullable String field, String requestId) {
        return ChatFormat.errorBody(new ModelError(status, code, message), field);
    }

    @Override
    public boolean tellsErrors() {
        return question == null || (question.form() != ChatForm.TEXT && question.form() != ChatForm.ANSWER);
    }

    @Override
    public ByteBuf errorFrame(
            ByteBufAllocator alloc, RelayError error, String message, long lastSequenceNumber, String requestId) {
        return written(alloc, stream -> stream.error(new ModelError(502, error.code(), message)));
    }

    @Override
    public ByteBuf stopFrames(ByteBufAllocator alloc, StreamStop stop) {
        return written(alloc, stream -> {
            stream.stop(StopReason.STOPPED, null);
            stream.end();
        });
    }

    @Override
    public HeartbeatForm heartbeat(@Nullable HeartbeatForm configured) {
        boolean frames = question != null && (question.form() == ChatForm.SSE || question.form() == ChatForm.JSON);
        if (!frames || configured == HeartbeatForm.NONE) {
            return HeartbeatForm.NONE;
        }
        return configured == HeartbeatForm.COMMENT_SINGLE_LF ? configured : HeartbeatForm.COMMENT;
    }

    @Override
    public String streamType() {
        return asked().form().contentType;
    }

    private ChatQuestion asked() {
        return requireNonNull(question, "not read yet");
    }

    private ByteBuf written(ByteBufAllocator alloc, Consumer<ChatStream> action) {
        ChatStream stream = asked().newStream(kept, asked().nowNs());
        ByteBuf out = alloc.buffer();
        stream.to(out);
        action.accept(stream);
        return out;
    }
}
