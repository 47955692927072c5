package io.millrace.server.share;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/** What Redis does with the commands that nodes send it, without a server. Times are in milliseconds. */
final class FakeRedis {
    private final LongSupplier nowMs;
    private final Map<String, byte[]> texts = new HashMap<>();
    private final Map<String, TreeMap<Id, List<Object>>> streams = new HashMap<>();
    private final Map<String, Long> ends = new HashMap<>();
    private final Map<String, Consumer<String>> subscribers = new HashMap<>();
    final Map<String, Integer> counts = new HashMap<>();
    /** What it answers to commands that need memory; null if it has enough. */
    @Nullable
    String full;
    /** Called before each command of a connection with its name. */
    Consumer<String> before = command -> {};

    /** A connection, with its transaction. */
    final class Connection {
        private final Map<String, @Nullable String> watched = new HashMap<>();
        private @Nullable List<Object[]> queued;

        @Nullable
        Object execute(Object... words) {
            before.accept(words[0].toString());
            expire();
            switch (words[0].toString()) {
                case "WATCH" -> {
                    for (int i = 1; i < words.length; i++) {
                        watched.put(words[i].toString(), value(words[i].toString()));
                    }
                }
                case "UNWATCH" -> watched.clear();
                case "MULTI" -> queued = new ArrayList<>();
                case "EXEC" -> {
                    return exec();
                }
                default -> {
                    if (queued == null) {
                        return FakeRedis.this.execute(words);
                    }
                    queued.add(words);
                }
            }
            return bytes("OK");
        }

        private @Nullable Object exec() {
            boolean same = watched.entrySet().stream()
                    .allMatch(watch -> Objects.equals(watch.getValue(), value(watch.getKey())));
            List<Object[]> all = Objects.requireNonNull(queued, "EXEC without MULTI");
            watched.clear();
            queued = null;
            if (!same) {
                return null;
            }
            var replies = new ArrayList<@Nullable Object>();
            all.forEach(words -> replies.add(FakeRedis.this.execute(words)));
            return replies;
        }

        private @Nullable String value(String key) {
            byte[] text = texts.get(key);
            return text == null ? null : new String(text, StandardCharsets.ISO_8859_1);
        }
    }

    /** An id of a stream's entry, of two unsigned numbers. */
    private record Id(long first, long second) implements Comparable<Id> {
        static Id of(String text) {
            String[] parts = text.split("-", -1);
            return new Id(Long.parseUnsignedLong(parts[0]), parts.length == 1 ? 0 : Long.parseUnsignedLong(parts[1]));
        }

        @Override
        public int compareTo(Id other) {
            int order = Long.compareUnsigned(first, other.first);
            return order != 0 ? order : Long.compareUnsigned(second, other.second);
        }

        @Override
        public String toString() {
            return Long.toUnsignedString(first) + "-" + Long.toUnsignedString(second);
        }
    }

    /** An error that a client is told. */
    static final class Refused extends RuntimeException {
        private static final long serialVersionUID = 1;

        Refused(String words) {
            super(words);
        }
    }

    FakeRedis(LongSupplier nowMs) {
        this.nowMs = nowMs;
    }

    void subscribe(String channel, Consumer<String> told) {
        subscribers.put(channel, told);
    }

    void unsubscribe(String channel) {
        subscribers.remove(channel);
    }

    void flushAll() {
        texts.clear();
        streams.clear();
        ends.clear();
    }

    /** What a replica has at this moment. */
    Runnable replica() {
        var itsTexts = new HashMap<>(texts);
        var itsEnds = new HashMap<>(ends);
        var itsStreams = new HashMap<String, TreeMap<Id, List<Object>>>();
        streams.forEach((key, stream) -> itsStreams.put(key, new TreeMap<>(stream)));
        return () -> {
            flushAll();
            texts.putAll(itsTexts);
            ends.putAll(itsEnds);
            streams.putAll(itsStreams);
        };
    }

    /** Forgets the bytes of all streams, as one that evicts does. */
    void evictStreams() {
        streams.clear();
    }

    List<String> keys() {
        expire();
        var keys = new ArrayList<>(texts.keySet());
        keys.addAll(streams.keySet());
        return keys;
    }

    private void expire() {
        ends.entrySet().removeIf(end -> {
            boolean over = end.getValue() <= nowMs.getAsLong();
            if (over) {
                texts.remove(end.getKey());
                streams.remove(end.getKey());
            }
            return over;
        });
    }

    /** Carries out a command. */
    @Nullable
    Object execute(Object... words) {
        expire();
        String[] text = Arrays.stream(words)
                .map(word -> word instanceof byte[] ? "" : word.toString())
                .toArray(String[]::new);
        counts.merge(text[0], 1, Integer::sum);
        if (full != null && List.of("SET", "XADD").contains(text[0])) {
            throw new Refused(full);
        }
        return switch (text[0]) {
            case "SET" -> set(text, words[2]);
            case "GET" -> texts.get(text[1]);
            case "EXISTS" -> texts.containsKey(text[1]) || streams.containsKey(text[1]) ? 1L : 0L;
            case "DEL" -> delete(text);
            case "PEXPIRE" -> {
                boolean there = texts.containsKey(text[1]) || streams.containsKey(text[1]);
                if (there) {
                    ends.put(text[1], nowMs.getAsLong() + Long.parseLong(text[2]));
                }
                yield there ? 1L : 0L;
            }
            case "XADD" -> add(text, words);
            case "XRANGE" -> range(text);
            case "XREVRANGE" -> last(text[1]);
            case "PUBLISH" -> {
                Consumer<String> told = subscribers.get(text[1]);
                if (told != null) {
                    told.accept(
                            words[2] instanceof byte[] bytes
                                    ? new String(bytes, StandardCharsets.ISO_8859_1)
                                    : text[2]);
                }
                yield told == null ? 0L : 1L;
            }
            default -> throw new Refused("ERR unknown command '" + text[0] + "'");
        };
    }

    private @Nullable Object set(String[] text, Object value) {
        List<String> options = List.of(text).subList(3, text.length);
        byte[] before = texts.get(text[1]);
        if (before != null && options.contains("NX")) {
            return null;
        }
        texts.put(text[1], value instanceof byte[] bytes ? bytes : bytes(text[2]));
        long lifeMs = Long.parseLong(options.get(options.indexOf("PX") + 1));
        ends.put(text[1], nowMs.getAsLong() + lifeMs);
        return options.contains("GET") ? before : bytes("OK");
    }

    private long delete(String[] text) {
        long deleted = 0;
        for (int i = 1; i < text.length; i++) {
            boolean known = texts.remove(text[i]) != null;
            boolean stream = streams.remove(text[i]) != null;
            deleted += known || stream ? 1 : 0;
            ends.remove(text[i]);
        }
        return deleted;
    }

    private @Nullable Object add(String[] text, Object[] words) {
        int at = 2;
        boolean makes = !text[at].equals("NOMKSTREAM");
        at += makes ? 0 : 1;
        Id least = null;
        if (text[at].equals("MINID")) {
            least = Id.of(text[at + 2]);
            at += 3;
        }
        TreeMap<Id, List<Object>> stream = streams.get(text[1]);
        if (stream == null && !makes) {
            return null;
        }
        if (stream == null) {
            stream = new TreeMap<>();
        }
        Id id = Id.of(text[at]);
        if (!stream.isEmpty()) {
            Id last = stream.lastKey();
            if (last.toString().equals("18446744073709551615-18446744073709551615")) {
                throw new Refused("ERR The stream has exhausted the last possible ID, unable to add more items");
            }
            if (id.compareTo(last) <= 0) {
                throw new Refused("ERR The ID specified in XADD is equal or smaller than the target stream top item");
            }
        }
        if (id.toString().equals("0-0")) {
            throw new Refused("ERR The ID specified in XADD must be greater than 0-0");
        }
        var fields = new ArrayList<Object>();
        for (int i = at + 1; i < words.length; i++) {
            fields.add(words[i] instanceof byte[] bytes ? bytes : bytes(text[i]));
        }
        stream.put(id, fields);
        if (least != null) {
            stream.headMap(least).clear();
        }
        streams.put(text[1], stream);
        return bytes(id.toString());
    }

    private List<Object> range(String[] text) {
        TreeMap<Id, List<Object>> stream = streams.get(text[1]);
        var found = new ArrayList<Object>();
        int most = Integer.parseInt(text[5]);
        if (stream != null) {
            var from = text[2].equals("-") ? stream : stream.tailMap(Id.of(text[2].substring(1)), false);
            from.forEach((id, fields) -> {
                if (found.size() < most) {
                    found.add(List.of(bytes(id.toString()), List.copyOf(fields)));
                }
            });
        }
        return found;
    }

    private List<Object> last(String key) {
        TreeMap<Id, List<Object>> stream = streams.get(key);
        return stream == null || stream.isEmpty()
                ? List.of()
                : List.of(List.of(
                        bytes(stream.lastKey().toString()),
                        List.copyOf(stream.lastEntry().getValue())));
    }

    static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }
}
