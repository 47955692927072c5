package io.millrace.codec.dialect;

import org.jspecify.annotations.Nullable;

/** The id, the model and the time of a stream's answer. The first value of each is kept. */
final class AnswerHead {
    private @Nullable String id;
    private @Nullable String model;
    private long created = -1;

    /** The answer's id, {@code null} if the stream has not named it. */
    @Nullable
    String id() {
        return id;
    }

    /** The model, {@code null} if the stream has not named it. */
    @Nullable
    String model() {
        return model;
    }

    /** When the answer was made, in seconds since 1970; {@code -1} if the stream has not said it. */
    long created() {
        return created;
    }

    void takeId(JsonCursor json) {
        if (id != null || !json.textAhead()) {
            json.ignoreValue();
        } else if (json.readString()) {
            id = json.token(null);
        }
    }

    void takeModel(JsonCursor json) {
        if (model != null || !json.textAhead()) {
            json.skipValue();
        } else if (json.readString()) {
            model = json.token(null);
        }
    }

    void takeCreated(JsonCursor json) {
        if (created >= 0) {
            json.ignoreValue();
        } else {
            created = json.readCount();
        }
    }
}
