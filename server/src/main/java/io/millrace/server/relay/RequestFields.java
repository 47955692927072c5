package io.millrace.server.relay;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufInputStream;
import java.io.IOException;
import java.io.InputStream;

/**
 * The top-level fields of a request body that a relay looks at. Read with a streaming parser that builds nothing, to
 * the end: of a field that is there twice the last counts, as it does for the servers behind.
 *
 * @param model the value of {@code model}, or null
 * @param modelStart index of the opening quote of that value, from the start of the body
 * @param modelEnd index behind its closing quote
 * @param stream whether {@code stream} is true
 * @param choices how many answers are asked for in one stream ({@code n}), at least 1
 * @param usage what asks a Chat server for usage in this request, or null if nothing can
 * @param invalid what is wrong with the JSON, or null
 */
record RequestFields(
        String model, int modelStart, int modelEnd, boolean stream, int choices, Usage usage, String invalid) {
    static final RequestFields NONE = new RequestFields(null, -1, -1, false, 1, null, null);
    private static final String INCLUDE_USAGE = "\"include_usage\":true";
    private static final JsonFactory JSON = new JsonFactory();

    /**
     * How a request asks for usage, or how it is made to: the bytes {@code [start, end)} of its body give way to
     * {@code text}.
     *
     * @param asked whether it asks already, so that nothing need be done
     */
    record Usage(boolean asked, int start, int end, String text) {}

    /** Whether this is what the request says, rather than what is taken where nothing is known. */
    boolean isRead() {
        return invalid == null && (model != null || usage != null);
    }

    /** Of a dialect that names the model in the path. */
    static RequestFields ofPath(String model, boolean stream) {
        return new RequestFields(model, -1, -1, stream, 1, null, null);
    }

    /** Reads the whole of {@code body}, whose indices are left as they are. */
    static RequestFields of(ByteBuf body) {
        String model = null;
        int modelStart = -1;
        int modelEnd = -1;
        boolean stream = false;
        int choices = 1;
        Usage usage = null;
        try (JsonParser parser = JSON.createParser((InputStream) new ByteBufInputStream(body.duplicate()))) {
            if (parser.nextToken() != JsonToken.START_OBJECT) {
                return invalid("the body is not a JSON object");
            }
            usage = new Usage(false, next(parser), next(parser), "\"stream_options\":{" + INCLUDE_USAGE + "},");
            while (parser.nextToken() == JsonToken.FIELD_NAME) {
                String name = parser.currentName();
                JsonToken value = parser.nextToken();
                if (name.equals("model") && value == JsonToken.VALUE_STRING) {
                    modelStart = (int) parser.currentTokenLocation().getByteOffset();
                    model = parser.getText();
                    modelEnd = (int) parser.currentLocation().getByteOffset();
                } else if (name.equals("stream")) {
                    stream = value == JsonToken.VALUE_TRUE;
                } else if (name.equals("n") && value == JsonToken.VALUE_NUMBER_INT) {
                    choices = Math.max(1, parser.getValueAsInt(1));
                } else if (name.equals("stream_options")) {
                    usage = usageIn(parser);
                }
                parser.skipChildren();
            }
            if (model != null && modelStart < 0) {
                return invalid("the body is not UTF-8");
            }
            return new RequestFields(model, modelStart, modelEnd, stream, choices, usage, null);
        } catch (IOException e) {
            return invalid("the body is not valid JSON");
        }
    }

    /** Reads the value of {@code stream_options}, at which the parser stands. */
    private static Usage usageIn(JsonParser parser) throws IOException {
        if (parser.currentToken() == JsonToken.VALUE_NULL) {
            return new Usage(false, start(parser), next(parser), "{" + INCLUDE_USAGE + "}");
        }
        if (parser.currentToken() != JsonToken.START_OBJECT) {
            return null;
        }
        int inside = next(parser);
        boolean empty = true;
        boolean found = false;
        Usage usage = null;
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
            empty = false;
            boolean wanted = parser.currentName().equals("include_usage");
            JsonToken value = parser.nextToken();
            if (wanted) {
                found = true;
                boolean asked = value == JsonToken.VALUE_TRUE;
                boolean settable = value == JsonToken.VALUE_FALSE || value == JsonToken.VALUE_NULL;
                usage = asked || settable ? new Usage(asked, start(parser), next(parser), "true") : null;
            }
            parser.skipChildren();
        }
        return found ? usage : new Usage(false, inside, inside, INCLUDE_USAGE + (empty ? "" : ","));
    }

    private static int start(JsonParser parser) {
        return (int) parser.currentTokenLocation().getByteOffset();
    }

    private static int next(JsonParser parser) {
        return (int) parser.currentLocation().getByteOffset();
    }

    private static RequestFields invalid(String reason) {
        return new RequestFields(null, -1, -1, false, 1, null, reason);
    }
}
