package io.millrace.server.config.file;

import io.millrace.server.config.file.Section.Pending;
import io.millrace.server.config.file.Setting.Slot;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The settings of a record, in the order in which they are written.
 *
 * @param defaults the record with the default values
 */
record Table<S>(S defaults, List<Setting<S>> settings) {
    @SafeVarargs
    @SuppressWarnings("varargs") // List.of copies the array
    static <S> Table<S> of(S defaults, Setting<S>... settings) {
        return new Table<>(defaults, List.of(settings));
    }

    /** The settings that have one of these keys. */
    Table<S> only(Set<String> keys) {
        return new Table<>(
                defaults,
                settings.stream()
                        .filter(setting -> keys.contains(setting.key()))
                        .toList());
    }

    /** {@code base} with the values of the section; a null section gives the defaults. */
    S read(Section section, @Nullable S base) {
        settings.forEach(setting -> section.node(setting.key())); // makes the keys known in this order
        var slot = new Slot<>(base == null ? defaults : base);
        var values = new ArrayList<Pending>();
        settings.forEach(setting -> setting.reader().read(section, slot, values));
        section.readTogether(values);
        return slot.settings;
    }

    /** The settings by their keys. */
    Map<String, Object> write(S record) {
        var tree = new LinkedHashMap<String, Object>();
        for (var setting : settings) {
            Object value = setting.writer().apply(record);
            if (value != null) {
                tree.put(setting.key(), value);
            }
        }
        return tree;
    }
}
