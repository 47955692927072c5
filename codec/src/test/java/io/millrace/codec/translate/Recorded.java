package io.millrace.codec.translate;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.codec.dialect.Dialect;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** The recorded streams, and their known content. */
final class Recorded {
    private static final String STREAMS = "/fixtures/streams/";
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Map<String, byte[]> RESOURCES = new ConcurrentHashMap<>();
    private static final JsonNode EXPECTED = readExpected();

    private Recorded() {}

    /** The dialects that are translated. */
    static List<Dialect> dialects() {
        return List.of(Dialect.CHAT, Dialect.RESPONSES, Dialect.MESSAGES, Dialect.GEMINI);
    }

    /** The files of one dialect's streams. */
    static List<String> files(Dialect dialect) {
        List<String> names = new ArrayList<>();
        EXPECTED.fieldNames().forEachRemaining(name -> {
            if (dialectOf(name) == dialect) {
                names.add(name);
            }
        });
        return names;
    }

    /** The known content of a stream. */
    static JsonNode expected(String file) {
        return EXPECTED.get(file);
    }

    static Dialect dialectOf(String file) {
        String protocol = file.replace("derived-", "");
        return switch (protocol.substring(0, protocol.indexOf('-'))) {
            case "chat", "completions" -> Dialect.CHAT;
            case "responses" -> Dialect.RESPONSES;
            case "anthropic", "messages" -> Dialect.MESSAGES;
            case "gemini" -> Dialect.GEMINI;
            default -> throw new IllegalArgumentException(file);
        };
    }

    static byte[] read(String file) {
        return resource(STREAMS + file);
    }

    /** A resource, read once. It must not be changed. */
    static byte[] resource(String path) {
        return RESOURCES.computeIfAbsent(path, Recorded::load);
    }

    private static byte[] load(String path) {
        try (InputStream in = Recorded.class.getResourceAsStream(path)) {
            if (in == null) {
                throw new IllegalArgumentException("no " + path);
            }
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The stream's frames. The last one has the bytes after the last frame, if there are any. */
    static List<byte[]> frames(byte[] stream) {
        List<byte[]> frames = new ArrayList<>();
        int from = 0;
        boolean lineEmpty = true;
        for (int i = 0; i < stream.length; i++) {
            if (stream[i] == '\r' && i + 1 < stream.length && stream[i + 1] == '\n') {
                i++;
            }
            if (stream[i] == '\n' || stream[i] == '\r') {
                if (lineEmpty) {
                    frames.add(Arrays.copyOfRange(stream, from, i + 1));
                    from = i + 1;
                }
                lineEmpty = true;
            } else {
                lineEmpty = false;
            }
        }
        if (from < stream.length) {
            frames.add(Arrays.copyOfRange(stream, from, stream.length));
        }
        return frames;
    }

    /** Translates frames and finishes. Returns the client's frames. */
    static String translate(StreamTranslator translator, List<byte[]> frames) {
        ByteBuf out = Unpooled.buffer();
        try {
            for (byte[] frame : frames) {
                translator.frame(Unpooled.wrappedBuffer(frame), 0, frame.length, out);
            }
            translator.finish(out);
            return out.toString(StandardCharsets.UTF_8);
        } finally {
            out.release();
        }
    }

    /** The whole answer with the content of these frames, in their own dialect; null if the answer failed. */
    static byte[] whole(Dialect dialect, List<byte[]> frames) {
        AnswerWriter writer =
                ClientFormat.of(dialect).answer(ModelRequest.of("m").build());
        AnswerGrammar answer = new AnswerGrammar(writer);
        DeltaReader reader = UpstreamFormat.of(dialect).reader();
        for (byte[] frame : frames) {
            reader.frame(Unpooled.wrappedBuffer(frame), 0, frame.length, answer);
        }
        reader.finish(answer);
        return answer.failure() == null ? writer.body() : null;
    }

    /** A translation whose client asked for a stream with usage. */
    static Translation streaming(Dialect client, Dialect upstream) {
        Translation translation = Translation.of(client, upstream);
        Requests.streaming(translation, client);
        return translation;
    }

    private static JsonNode readExpected() {
        try {
            return JSON.readTree(read("expected.json"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
