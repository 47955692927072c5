package io.millrace.server.mock;

import io.millrace.server.mock.BodyWriter.Chunking;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The properties of one response of the mock: its length, its pace and its faults. Written as
 * {@code key=value,key=value}; {@code docs/mock.md} lists the keys. Immutable.
 */
public final class MockSpec {
    /** An answer of natural length without pauses and faults. */
    public static final MockSpec PLAIN = new MockSpec(new EnumMap<>(SpecKey.class));

    /** The value of an absent {@code .._after} or {@code .._at_byte}: never. */
    static final int NEVER = Integer.MAX_VALUE;

    private final Map<SpecKey, Object> values;

    private MockSpec(Map<SpecKey, Object> values) {
        this.values = Collections.unmodifiableMap(values);
    }

    /**
     * Parses a spec. An empty text is {@link #PLAIN}.
     *
     * @throws IllegalArgumentException with the key, the value and what was expected
     */
    public static MockSpec parse(String text) {
        return PLAIN.with(text);
    }

    /**
     * This spec with the keys of {@code text} added or replaced.
     *
     * @throws IllegalArgumentException with the key, the value and what was expected
     */
    public MockSpec with(String text) {
        if (text.isBlank()) {
            return this;
        }
        var merged = new EnumMap<SpecKey, Object>(SpecKey.class);
        merged.putAll(values);
        for (String pair : text.split(",", -1)) {
            int equals = pair.indexOf('=');
            String preset = Presets.named(pair.strip());
            if (preset != null) {
                PLAIN.with(preset).values.forEach((key, value) -> {
                    merged.put(key, value);
                    dropOtherPace(merged, key);
                });
                continue;
            }
            if (equals < 0) {
                throw new IllegalArgumentException(
                        "mock spec: " + pair + " (expected: key=value, or one of " + Presets.names() + ")");
            }
            var key = SpecKey.named(pair.substring(0, equals).strip());
            merged.put(key, key.parse(pair.substring(equals + 1).strip()));
            dropOtherPace(merged, key);
        }
        return new MockSpec(merged);
    }

    private static void dropOtherPace(Map<SpecKey, Object> values, SpecKey key) {
        if (key == SpecKey.GAP) {
            values.remove(SpecKey.GAP_MS);
        } else if (key == SpecKey.GAP_MS) {
            values.remove(SpecKey.GAP);
        }
    }

    /** This spec without the keys that make a request fail. */
    MockSpec withoutFaults() {
        var kept = new EnumMap<SpecKey, Object>(SpecKey.class);
        values.forEach((key, value) -> {
            if (!key.fault) {
                kept.put(key, value);
            }
        });
        return new MockSpec(kept);
    }

    boolean has(SpecKey key) {
        return values.containsKey(key);
    }

    boolean flag(SpecKey key) {
        return (boolean) values.getOrDefault(key, false);
    }

    int count(SpecKey key, int absent) {
        return (int) values.getOrDefault(key, absent);
    }

    long nanos(SpecKey key) {
        return (long) values.getOrDefault(key, 0L);
    }

    @Nullable
    String text(SpecKey key) {
        return (String) values.get(key);
    }

    String text(SpecKey key, String absent) {
        return (String) values.getOrDefault(key, absent);
    }

    <T> T value(SpecKey key, T absent, Class<T> type) {
        return type.cast(values.getOrDefault(key, absent));
    }

    /** Further header lines, each {@code name:value}. */
    List<String> headers() {
        var headers = (List<?>) values.getOrDefault(SpecKey.HEADERS, List.of());
        return headers.stream().map(String.class::cast).toList();
    }

    /** The pauses between frames: those of a replay, or of generated output. */
    Pace pace() {
        Object pace = has(SpecKey.REPLAY)
                ? values.get(SpecKey.FRAME_GAP_MS)
                : values.getOrDefault(SpecKey.GAP, values.get(SpecKey.GAP_MS));
        return pace == null ? Pace.NONE : (Pace) pace;
    }

    /** The pause before the first frame, or before the head if there is no stream. */
    Pace ttft() {
        return (Pace) values.getOrDefault(SpecKey.TTFT_MS, Pace.NONE);
    }

    /** The number of text tokens of this answer, if its length is random; otherwise -1. */
    int drawnLength(long requestNumber) {
        var lengths = (Pace) values.get(SpecKey.OUTPUT);
        return lengths == null ? -1 : lengths.nextCount(random(requestNumber).split());
    }

    /** Whether a body is made once more, only to know its length. */
    boolean measuresBody() {
        return flag(SpecKey.LENGTH) || value(SpecKey.CHUNK, Chunking.FRAME, Chunking.class) == Chunking.WHOLE;
    }

    SplittableRandom random(long requestNumber) {
        return new SplittableRandom(has(SpecKey.SEED) ? count(SpecKey.SEED, 0) : requestNumber);
    }

    @Override
    public String toString() {
        return values.entrySet().stream()
                .map(entry -> entry.getKey().label() + "=" + entry.getValue())
                .collect(Collectors.joining(","));
    }
}
