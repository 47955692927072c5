package io.millrace.codec.dialect;

import static io.millrace.codec.dialect.FrameInspector.ascii;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The keys of a dialect's usage object. Each key has one of {@link FrameShape}'s numbers, or an object with more keys.
 */
final class UsageKeys {
    /** The objects in the usage of OpenAI's Chat and Responses. */
    static final UsageKeys OPENAI_DETAILS = new UsageKeys()
            .number("cached_tokens", FrameShape.CACHED_TOKENS)
            .number("cache_write_tokens", FrameShape.CACHE_WRITE_TOKENS)
            .number("reasoning_tokens", FrameShape.REASONING_TOKENS);

    private final List<Key> keys = new ArrayList<>();

    @SuppressWarnings("ArrayRecordComponent") // never compared
    private record Key(byte[] name, int number, @Nullable UsageKeys inner) {}

    /** Adds a key whose value is a number. */
    UsageKeys number(String key, int number) {
        keys.add(new Key(ascii(key), number, null));
        return this;
    }

    /** Adds a key whose value is an object. */
    UsageKeys object(String key, UsageKeys inner) {
        keys.add(new Key(ascii(key), -1, inner));
        return this;
    }

    /** Reads the next value if it is an object, and skips it otherwise. */
    void read(JsonCursor json, StreamNumbers numbers) {
        if (json.enterObject()) {
            while (json.nextKey()) {
                readValue(json, numbers);
            }
        }
    }

    private void readValue(JsonCursor json, StreamNumbers numbers) {
        // Without an iterator, which would be allocated.
        for (int i = 0; i < keys.size(); i++) {
            Key key = keys.get(i);
            if (json.tokenIs(key.name)) {
                if (key.inner == null) {
                    numbers.read(json, key.number);
                } else {
                    key.inner.read(json, numbers);
                }
                return;
            }
        }
        json.skipValue();
    }
}
