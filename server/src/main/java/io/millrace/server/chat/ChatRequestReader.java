package io.millrace.server.chat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.millrace.server.format.RequestRefusal;
import io.millrace.server.http.Refusal;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.QueryStringDecoder;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Reads the fields of a request to {@code /chat}: from its query, and from a body that is JSON or a form. */
final class ChatRequestReader {
    /** The longest body that is read. A longer one would delay the other streams of its event loop. */
    static final int MAX_BODY = 4 * 1024 * 1024;

    private static final int MAX_PARAMETERS = 64;
    private static final ObjectReader JSON = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
            .build()
            .readerFor(JsonNode.class);

    private ChatRequestReader() {}

    /** The fields of {@code head} and its complete {@code body}. */
    static ChatFields read(HttpRequest head, byte[] body) throws RequestRefusal {
        if (body.length > MAX_BODY) {
            throw new RequestRefusal(
                    Refusal.of(413, "request_too_large", "A request to /chat has at most " + MAX_BODY + " bytes."));
        }
        var fields = new ChatFields();
        int query = head.uri().indexOf('?');
        if (query >= 0) {
            readParameters(head.uri().substring(query + 1), "query", fields);
        }
        if (body.length > 0) {
            readBody(head, body, fields);
        }
        return fields;
    }

    private static void readBody(HttpRequest head, byte[] body, ChatFields fields) throws RequestRefusal {
        CharSequence type = HttpUtil.getMimeType(head);
        String essence = type == null ? "" : type.toString().trim().toLowerCase(Locale.ROOT);
        switch (essence) {
            case "application/json" -> readJson(body, fields);
            case "application/x-www-form-urlencoded" ->
                readParameters(new String(body, StandardCharsets.UTF_8), "form", fields);
            case "multipart/form-data" -> readMultipart(head, body, fields);
            default ->
                throw new RequestRefusal(Refusal.of(
                        415,
                        "unsupported_media_type",
                        "The body's Content-Type must be application/json, application/x-www-form-urlencoded"
                                + " or multipart/form-data."));
        }
    }

    private static void readJson(byte[] body, ChatFields fields) throws RequestRefusal {
        JsonNode json;
        try {
            json = JSON.readValue(body);
        } catch (JsonProcessingException e) {
            var where = e.getLocation();
            String place = where == null ? "" : ": line " + where.getLineNr() + ", column " + where.getColumnNr();
            throw invalidJson("The body is not valid JSON" + place + ".");
        } catch (IOException e) {
            throw invalidJson("The body is not valid JSON.");
        }
        if (!json.isObject()) {
            throw invalidJson("The body is not a JSON object.");
        }
        for (Map.Entry<String, JsonNode> field : json.properties()) {
            fields.json(field.getKey(), field.getValue());
        }
    }

    private static RequestRefusal invalidJson(String message) {
        return new RequestRefusal(Refusal.of(400, "invalid_json", message));
    }

    private static void readParameters(String text, String where, ChatFields fields) throws RequestRefusal {
        Map<String, List<String>> parameters;
        try {
            parameters = new QueryStringDecoder(text, StandardCharsets.UTF_8, false, MAX_PARAMETERS, true).parameters();
        } catch (IllegalArgumentException e) {
            throw RequestRefusal.of(null, "The " + where + " is not percent-encoded as it should be.");
        }
        for (var parameter : parameters.entrySet()) {
            for (String value : parameter.getValue()) {
                fields.text(parameter.getKey(), value);
            }
        }
    }

    private static void readMultipart(HttpRequest head, byte[] body, ChatFields fields) throws RequestRefusal {
        List<Multipart.Part> parts;
        try {
            parts = Multipart.parts(head.headers().get(HttpHeaderNames.CONTENT_TYPE), body);
        } catch (IllegalArgumentException e) {
            throw RequestRefusal.of(null, "The body does not match its Content-Type multipart/form-data.");
        }
        for (Multipart.Part part : parts) {
            if (part.file()) {
                throw RequestRefusal.of(part.name(), part.name() + " is a file, which /chat does not take.");
            }
            fields.text(part.name(), part.value());
        }
    }
}
