package io.millrace.server.chat;

import com.fasterxml.jackson.databind.JsonNode;
import io.millrace.server.format.RequestRefusal;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Collects the fields of a request to {@code /chat}, from JSON, a form or the query. Each may be given once. */
final class ChatFields {
    private static final List<String> KNOWN = List.of(
            "prompt", "messages", "system", "model", "max_tokens", "temperature", "chunk", "format", "parts", "stream");
    private static final BigDecimal MAX_TEMPERATURE = BigDecimal.valueOf(2);

    private final Set<String> given = new HashSet<>();

    @Nullable
    String prompt;

    @Nullable
    List<Message> messages;

    @Nullable
    String system;

    @Nullable
    String model;

    @Nullable
    Long maxTokens;

    @Nullable
    Double temperature;

    @Nullable
    String chunk;

    @Nullable
    String format;

    @Nullable
    String parts;

    @Nullable
    Boolean stream;

    /**
     * One message.
     *
     * @param role {@code system}, {@code user} or {@code assistant}
     */
    record Message(String role, String content) {}

    /** Takes a field of a form or of the query. */
    void text(String name, String value) throws RequestRefusal {
        once(name);
        switch (name) {
            case "prompt" -> prompt = said(name, value);
            case "messages" -> throw RequestRefusal.of(name, "messages can only be given in a JSON body.");
            case "system" -> system = value;
            case "model" -> model = said(name, value);
            case "max_tokens" -> maxTokens = value.isEmpty() ? null : (Long) tokens(decimal(name, value));
            case "temperature" -> temperature = value.isEmpty() ? null : (Double) temperature(decimal(name, value));
            case "chunk" -> chunk = value;
            case "format" -> format = value;
            case "parts" -> parts = value;
            case "stream" -> stream = truth(value);
            default -> throw unknown(name);
        }
    }

    /** Takes a field of a JSON body. A null counts as not given. */
    void json(String name, JsonNode value) throws RequestRefusal {
        once(name);
        if (value.isNull()) {
            if (!KNOWN.contains(name)) {
                throw unknown(name);
            }
            return;
        }
        switch (name) {
            case "prompt" -> prompt = said(name, string(name, value));
            case "messages" -> messages = messages(value);
            case "system" -> system = string(name, value);
            case "model" -> model = said(name, string(name, value));
            case "max_tokens" -> maxTokens = tokens(number(name, value));
            case "temperature" -> temperature = temperature(number(name, value));
            case "chunk" -> chunk = string(name, value);
            case "format" -> format = string(name, value);
            case "parts" -> parts = string(name, value);
            case "stream" -> {
                if (!value.isBoolean()) {
                    throw RequestRefusal.of(name, "stream must be true or false.");
                }
                stream = value.booleanValue();
            }
            default -> throw unknown(name);
        }
    }

    /** The constant with the name in a field's text, or null if the field is not given. */
    static <E extends Enum<E>> @Nullable E choice(String name, @Nullable String text, List<E> constants)
            throws RequestRefusal {
        if (text == null || text.isEmpty()) {
            return null;
        }
        for (E constant : constants) {
            if (label(constant).equals(text)) {
                return constant;
            }
        }
        String all = String.join(", ", constants.stream().map(ChatFields::label).toList());
        throw RequestRefusal.of(name, name + " must be one of " + all + ".");
    }

    private static String label(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }

    private void once(String name) throws RequestRefusal {
        if (!given.add(name)) {
            throw RequestRefusal.of(name, name + " is given twice.");
        }
    }

    private static RequestRefusal unknown(String name) {
        String shown = name.length() <= 64 ? name : name.substring(0, 64);
        return RequestRefusal.of(
                shown, shown + " is no field of /chat. Its fields are " + String.join(", ", KNOWN) + ".");
    }

    private static String said(String name, String value) throws RequestRefusal {
        if (value.isBlank()) {
            throw RequestRefusal.of(name, name + " is empty.");
        }
        return value;
    }

    private static List<Message> messages(JsonNode value) throws RequestRefusal {
        if (!value.isArray() || value.isEmpty()) {
            throw RequestRefusal.of("messages", "messages must be a list of at least one message.");
        }
        var messages = new ArrayList<Message>();
        for (int i = 0; i < value.size(); i++) {
            messages.add(message("messages[" + i + "]", value.get(i)));
        }
        return messages;
    }

    private static Message message(String place, JsonNode value) throws RequestRefusal {
        if (!value.isObject()) {
            throw RequestRefusal.of(place, place + " must be an object with role and content.");
        }
        for (var names = value.fieldNames(); names.hasNext(); ) {
            String name = names.next();
            if (!name.equals("role") && !name.equals("content")) {
                throw RequestRefusal.of(place + "." + name, "A message has role and content, no more.");
            }
        }
        String role = string(place + ".role", value.path("role"));
        if (!Set.of("system", "user", "assistant").contains(role)) {
            throw RequestRefusal.of(place + ".role", place + ".role must be system, user or assistant.");
        }
        return new Message(role, said(place + ".content", string(place + ".content", value.path("content"))));
    }

    private static String string(String name, JsonNode value) throws RequestRefusal {
        if (!value.isTextual()) {
            throw RequestRefusal.of(name, name + " must be a string.");
        }
        return value.textValue();
    }

    private static BigDecimal number(String name, JsonNode value) throws RequestRefusal {
        if (!value.isNumber()) {
            throw RequestRefusal.of(name, name + " must be a number.");
        }
        return value.decimalValue();
    }

    private static BigDecimal decimal(String name, String value) throws RequestRefusal {
        if (value.length() <= 32) {
            try {
                return new BigDecimal(value.strip());
            } catch (NumberFormatException e) {
                // Refused below.
            }
        }
        throw RequestRefusal.of(name, name + " must be a number.");
    }

    private static long tokens(BigDecimal value) throws RequestRefusal {
        boolean small = value.signum() > 0 && value.compareTo(BigDecimal.valueOf(Integer.MAX_VALUE)) <= 0;
        if (!small || value.stripTrailingZeros().scale() > 0) {
            throw RequestRefusal.of("max_tokens", "max_tokens must be a whole number from 1.");
        }
        return value.longValue();
    }

    private static double temperature(BigDecimal value) throws RequestRefusal {
        if (value.signum() < 0 || value.compareTo(MAX_TEMPERATURE) > 0) {
            throw RequestRefusal.of("temperature", "temperature must be a number from 0 to 2.");
        }
        return value.doubleValue();
    }

    private static Boolean truth(String value) throws RequestRefusal {
        return switch (value) {
            case "true" -> true;
            case "false" -> false;
            default -> throw RequestRefusal.of("stream", "stream must be true or false.");
        };
    }
}
