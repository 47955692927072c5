package io.millrace.server.config.file;

import static java.util.Objects.requireNonNull;

import io.millrace.server.config.file.Node.Entry;
import io.millrace.server.config.file.Node.Mapping;
import io.millrace.server.config.file.Node.Place;
import io.millrace.server.config.file.Node.Scalar;
import io.millrace.server.config.file.Node.Sequence;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * One mapping of the file while it is read. A key that is asked for counts as known, and {@link #close} reports the
 * others. An {@link IllegalArgumentException} of a conversion, or of the code that takes its result, becomes a problem
 * at the value's place.
 */
final class Section implements AutoCloseable {
    /** A setting that has to be below another one. */
    private static final Pattern COMPARED = Pattern.compile("(\\w+): (\\S+) \\(expected: (<=?) (\\w+), (\\S+)\\)");

    private final Mapping mapping;
    private final Problems problems;
    private final Set<String> known = new LinkedHashSet<>();

    Section(Mapping mapping, Problems problems) {
        this.mapping = mapping;
        this.problems = problems;
    }

    /** The value's node, or null if the key is not given or has no value. */
    @Nullable
    Node node(String key) {
        known.add(key);
        Entry entry = mapping.entries().get(key);
        return entry == null || isNothing(entry.value()) ? null : entry.value();
    }

    /** Where the section begins. */
    Place place() {
        return mapping.place();
    }

    /** Reads a value, if given. */
    <T> void read(String key, Function<String, T> conversion, Consumer<T> sink) {
        Node node = node(key);
        if (node != null) {
            take(key, node, text -> sink.accept(conversion.apply(text)));
        }
    }

    /** Reads one value or a list of values. Each item that cannot be read is a problem of its own. */
    void readList(String key, Consumer<String> sink) {
        items(key).forEach(item -> take(key, item, sink));
    }

    /** Reads a section within this one, if given. */
    void readSection(String key, Consumer<Section> sink) {
        Node node = node(key);
        if (node != null) {
            enter(key, node, sink);
        }
    }

    /** Reads a section whose keys are names. */
    void readNamed(String key, BiConsumer<String, Entry> sink) {
        Node node = node(key);
        if (node instanceof Mapping named) {
            named.entries().forEach(sink);
        } else if (node != null) {
            problems.add(node.place(), key + ": " + shape(node) + " (expected: names, each with its settings)");
        }
    }

    /** Reads a list of sections, if given. */
    void readSections(String key, Consumer<Section> sink) {
        Node node = node(key);
        if (node instanceof Sequence sequence) {
            sequence.items().forEach(item -> enter(key, item, sink));
        } else if (node != null) {
            problems.add(node.place(), key + ": " + shape(node) + " (expected: a list, each item with its settings)");
        }
    }

    /** Reads a list whose items are sections or, for short, one value each. */
    void readMixed(String key, Consumer<String> value, Consumer<Section> sink) {
        items(key).forEach(item -> {
            if (item instanceof Mapping) {
                enter(key, item, sink);
            } else {
                take(key, item, value);
            }
        });
    }

    /** The items of a list, or the only value. */
    private List<Node> items(String key) {
        Node node = node(key);
        return node instanceof Sequence sequence ? sequence.items() : node == null ? List.of() : List.of(node);
    }

    /** Opens a node as a section and closes it. */
    void enter(String key, Node node, Consumer<Section> sink) {
        if (node instanceof Mapping inner) {
            try (var section = new Section(inner, problems)) {
                sink.accept(section);
            }
        } else {
            problems.add(node.place(), key + ": " + shape(node) + " (expected: settings)");
        }
    }

    /** Applies settings whose checks may depend on each other. A setting that fails is tried again after the others. */
    void readTogether(List<Pending> settings) {
        var failed = settings.stream()
                .filter(setting -> node(setting.key()) != null && !succeeds(setting))
                .toList();
        failed.forEach(setting -> take(setting.key(), requireNonNull(node(setting.key())), setting.sink()));
    }

    /** Reports the keys that were not asked for. */
    @Override
    public void close() {
        mapping.entries().forEach((key, entry) -> {
            if (!known.contains(key)) {
                problems.add(entry.place(), key + ": unknown key" + Suggestion.forWord(key, known));
            }
        });
    }

    /** A setting, and the code that takes its text. */
    record Pending(String key, Consumer<String> sink) {}

    private void take(String key, Node node, Consumer<String> sink) {
        if (!(node instanceof Scalar scalar) || isNothing(node)) {
            problems.add(node.place(), key + ": " + shape(node) + " (expected: a value)");
            return;
        }
        try {
            sink.accept(scalar.text());
        } catch (IllegalArgumentException e) {
            problems.add(node.place(), named(key, String.valueOf(e.getMessage())));
        }
    }

    private boolean succeeds(Pending setting) {
        try {
            if (node(setting.key()) instanceof Scalar scalar) {
                setting.sink().accept(scalar.text());
                return true;
            }
        } catch (IllegalArgumentException e) {
            return false; // the second try reports it
        }
        return false;
    }

    /**
     * The message, preceded by the key unless it already is. A message that compares another setting with this one is
     * turned round, because this one is what the file has.
     */
    static String named(String key, String message) {
        var other = COMPARED.matcher(message);
        if (other.matches() && key.equals(other.group(4))) {
            return key + ": " + other.group(5) + " (expected: " + other.group(3).replace('<', '>') + " "
                    + other.group(1) + ", " + other.group(2) + ")";
        }
        return message.startsWith(key + ": ") ? message : key + ": " + message;
    }

    private static boolean isNothing(Node node) {
        return node instanceof Scalar scalar && scalar.kind() == Scalar.Kind.NOTHING;
    }

    private static String shape(Node node) {
        if (node instanceof Mapping) {
            return "a section";
        }
        return node instanceof Sequence ? "a list" : isNothing(node) ? "nothing" : "a value";
    }
}
