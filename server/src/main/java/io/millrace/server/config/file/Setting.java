package io.millrace.server.config.file;

import io.millrace.server.config.Settings;
import io.millrace.server.config.file.Node.Scalar;
import io.millrace.server.config.file.Section.Pending;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.Predicate;

/**
 * One setting of a record: its key, how it is read into a record, and how it is written.
 *
 * @param <S> the record
 * @param shape what a schema says of it
 * @param writer gives text, a number, a boolean, a list or a map of these; null is not written
 */
record Setting<S>(String key, Reader<S> reader, Function<S, Object> writer, Shape shape) {
    /** Reads a setting, if it is present. */
    interface Reader<S> {
        /** Changes the slot's record now, or adds a change to {@code values}. */
        void read(Section section, Slot<S> slot, List<Pending> values);
    }

    /** Holds the record while its settings are read. */
    static final class Slot<S> {
        S settings;

        Slot(S settings) {
            this.settings = settings;
        }
    }

    /**
     * A single value in place of a whole section, such as {@code retry: off}.
     *
     * @param reader makes the record from the record so far and the text
     * @param writer returns the value, or null to write the section
     * @param shape the schema of the value
     */
    record Brief<V>(BiFunction<V, String, V> reader, Function<V, Object> writer, Shape shape) {
        /** A value that stands for one setting of the record. It is written as a section. */
        static <V extends Settings<V, B>, B, W> Brief<V> of(Form<W> form, BiConsumer<B, W> set) {
            return new Brief<>((record, text) -> changed(record, set, form.read(text)), record -> null, form.shape());
        }

        /** The only word that is allowed. */
        static <V> Brief<V> word(String word, V meaning) {
            return new Brief<>(
                    (record, text) -> {
                        if (!text.equals(word)) {
                            throw new IllegalArgumentException("'" + text + "' (expected: " + word + " or settings)");
                        }
                        return meaning;
                    },
                    record -> record.equals(meaning) ? word : null,
                    Shape.words(List.of(word)));
        }
    }

    /** A setting with one value. */
    static <S extends Settings<S, B>, B, V> Setting<S> value(
            String key, Form<V> form, Function<S, V> get, BiConsumer<B, V> set) {
        return value(key, form, get, (S settings, V value) -> changed(settings, set, value));
    }

    /** A setting from whose value a record is made. */
    static <S, V> Setting<S> made(String key, Form<V> form, Function<S, V> get, BiFunction<S, V, S> make) {
        return value(key, form, get, make);
    }

    private static <S, V> Setting<S> value(String key, Form<V> form, Function<S, V> get, BiFunction<S, V, S> make) {
        return new Setting<>(
                key,
                (section, slot, values) -> values.add(
                        new Pending(key, text -> slot.settings = make.apply(slot.settings, form.read(text)))),
                settings -> form.write(get.apply(settings)),
                form.shape());
    }

    /** One value or a list of values. An invalid value is left out. */
    static <S extends Settings<S, B>, B, V> Setting<S> list(
            String key, Form<V> form, Function<S, List<V>> get, BiConsumer<B, List<V>> set) {
        return new Setting<>(
                key,
                (section, slot, values) -> {
                    var taken = new ArrayList<V>();
                    section.readList(key, text -> {
                        var more = new ArrayList<>(taken);
                        more.add(form.read(text));
                        slot.settings = changed(slot.settings, set, more);
                        taken.add(more.get(taken.size()));
                    });
                },
                settings -> get.apply(settings).stream().map(form::write).toList(),
                form.shape().oneOrMore());
    }

    /** A section of settings of another record. */
    static <S extends Settings<S, B>, B, V> Setting<S> section(
            String key, Table<V> table, Function<S, V> get, BiConsumer<B, V> set) {
        return new Setting<>(
                key,
                (section, slot, values) -> section.readSection(
                        key,
                        inner -> slot.settings =
                                changed(slot.settings, set, table.read(inner, get.apply(slot.settings)))),
                settings -> table.write(get.apply(settings)),
                Shape.part(() -> table));
    }

    /** A section of settings of another record, or one value for it. */
    static <S extends Settings<S, B>, B, V> Setting<S> section(
            String key, Brief<V> brief, Table<V> table, Function<S, V> get, BiConsumer<B, V> set) {
        Setting<S> whole = section(key, table, get, set);
        return new Setting<>(
                key,
                (section, slot, values) -> {
                    if (section.node(key) instanceof Scalar) {
                        section.read(
                                key,
                                text -> brief.reader().apply(get.apply(slot.settings), text),
                                value -> slot.settings = changed(slot.settings, set, value));
                    } else {
                        whole.reader.read(section, slot, values);
                    }
                },
                settings -> {
                    Object written = brief.writer().apply(get.apply(settings));
                    return written != null ? written : whole.writer.apply(settings);
                },
                brief.shape().or(whole.shape));
    }

    /** A section of settings of the same record. */
    static <S> Setting<S> inner(String key, Table<S> table) {
        return new Setting<>(
                key,
                (section, slot, values) ->
                        section.readSection(key, inner -> slot.settings = table.read(inner, slot.settings)),
                table::write,
                Shape.part(() -> table));
    }

    /** A setting that {@link ConfigReader} reads by itself. */
    static <S> Setting<S> special(String key, Shape shape, Function<S, Object> writer) {
        return new Setting<>(key, (section, slot, values) -> {}, writer, shape);
    }

    /** This setting, which is written only if {@code written} is true for the record. */
    Setting<S> onlyIf(Predicate<S> written) {
        return new Setting<>(key, reader, settings -> written.test(settings) ? writer.apply(settings) : null, shape);
    }

    /** This setting, not written if it is an empty list or section. */
    Setting<S> unlessEmpty() {
        return new Setting<>(
                key,
                reader,
                settings -> {
                    Object written = writer.apply(settings);
                    return List.of().equals(written) || Map.of().equals(written) ? null : written;
                },
                shape);
    }

    private static <S extends Settings<S, B>, B, V> S changed(S settings, BiConsumer<B, V> set, V value) {
        return settings.with(builder -> set.accept(builder, value));
    }
}
