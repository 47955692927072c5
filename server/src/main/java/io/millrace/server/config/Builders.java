package io.millrace.server.config;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.RecordComponent;
import java.util.Arrays;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Makes records from builders that have a public field for each component, with the same name and type. A component
 * that is not nullable must not be null.
 */
final class Builders {
    private Builders() {}

    /** A new record with the builder's values. */
    static <R extends Record> R build(Class<R> type, Object builder) {
        var components = type.getRecordComponents();
        var types = Arrays.stream(components).map(RecordComponent::getType).toArray(Class<?>[]::new);
        var values = new Object[components.length];
        try {
            for (int i = 0; i < values.length; i++) {
                values[i] = builder.getClass().getField(components[i].getName()).get(builder);
                if (values[i] == null && !components[i].getAnnotatedType().isAnnotationPresent(Nullable.class)) {
                    throw new NullPointerException(components[i].getName());
                }
            }
            return type.getConstructor(types).newInstance(values);
        } catch (InvocationTargetException e) {
            if (e.getCause() instanceof RuntimeException refused) {
                throw refused;
            }
            throw new IllegalStateException(e);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }

    /** A copy of a record, changed by {@code change}. The builder has the record's values at first. */
    @SuppressWarnings("unchecked") // a record's own type, and the class Builder inside it
    static <S, B> S change(Settings<S, B> record, Consumer<B> change) {
        var type = (Class<? extends Record>) record.getClass();
        try {
            Object builder =
                    Class.forName(type.getName() + "$Builder").getConstructor().newInstance();
            for (var component : type.getRecordComponents()) {
                builder.getClass()
                        .getField(component.getName())
                        .set(builder, component.getAccessor().invoke(record));
            }
            change.accept((B) builder);
            return (S) build(type, builder);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }
}
