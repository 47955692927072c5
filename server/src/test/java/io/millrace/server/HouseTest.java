package io.millrace.server;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaConstructor;
import com.tngtech.archunit.core.domain.JavaField;
import com.tngtech.archunit.core.domain.JavaMethod;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToIntFunction;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** No class grows too large to be understood, and rooms have few doors. */
class HouseTest {
    private static final int MOST_LINES = 400;
    private static final int MOST_FIELDS = 16;
    private static final int MOST_METHODS = 35;
    private static final int MOST_PARAMETERS = 7;
    private static final double LEAST_HIDDEN = 0.65;

    private static final JavaClasses SERVER_AND_CODEC = ProductClasses.ALL;
    private static final JavaClasses SERVER = SERVER_AND_CODEC.that(resideInAPackage("io.millrace.server.."));

    @ParameterizedTest
    @ValueSource(strings = {"src/main/java", "../codec/src/main/java"})
    void noSourceFileIsLong(String sources) throws IOException {
        var tooLong = new ArrayList<String>();
        try (Stream<Path> files = Files.walk(Path.of(sources))) {
            for (Path file :
                    files.filter(path -> path.toString().endsWith(".java")).toList()) {
                int lines = Files.readAllLines(file).size();
                if (lines > MOST_LINES) {
                    tooLong.add(file.getFileName() + ": " + lines);
                }
            }
        }
        assertThat(tooLong).isEmpty();
    }

    @Test
    void noClassHasManyFields() {
        classes().should(haveAtMost(MOST_FIELDS, "fields", HouseTest::fields)).check(SERVER_AND_CODEC);
    }

    @Test
    void noClassHasManyMethods() {
        classes()
                .should(haveAtMost(MOST_METHODS, "methods", HouseTest::methods))
                .check(SERVER_AND_CODEC);
    }

    /** A record with many components is made by names, or in one place only. */
    @Test
    void noConstructorHasManyParameters() {
        classes()
                .that()
                .areNotRecords()
                .should(haveAtMost(MOST_PARAMETERS, "constructor parameters", HouseTest::parameters))
                .check(SERVER_AND_CODEC);
    }

    @Test
    void mostTypesAreHiddenInTheirRooms() {
        List<JavaClass> all = SERVER.stream().filter(JavaClass::isTopLevelClass).toList();
        long hidden = all.stream()
                .filter(each -> !each.getModifiers().contains(JavaModifier.PUBLIC))
                .count();
        assertThat(hidden / (double) all.size())
                .as(hidden + " of " + all.size())
                .isGreaterThanOrEqualTo(LEAST_HIDDEN);
    }

    /** A type that no other room uses is not a door, and must be hidden. */
    @Test
    void onlyDoorsArePublic() {
        assertThat(SERVER.stream()
                        .filter(JavaClass::isTopLevelClass)
                        .filter(each -> each.getModifiers().contains(JavaModifier.PUBLIC))
                        .filter(each -> each.getDirectDependenciesToSelf().stream()
                                .noneMatch(use ->
                                        !use.getOriginClass().getPackageName().equals(each.getPackageName()))))
                .extracting(JavaClass::getName)
                .as(
                        "what is neither for another room, nor for the launcher, the build, bench or tests that ask the mock")
                .containsExactlyInAnyOrder(
                        "io.millrace.server.cli.Build",
                        "io.millrace.server.cli.CommandProvider",
                        "io.millrace.server.cli.Millrace",
                        "io.millrace.server.cli.PackagedHelp",
                        "io.millrace.server.cli.Signals",
                        "io.millrace.server.config.file.Suggestion",
                        "io.millrace.server.mock.MockRequest",
                        "io.millrace.server.mock.MockStats",
                        "io.millrace.server.mock.Stamp");
    }

    private static ArchCondition<JavaClass> haveAtMost(int most, String what, ToIntFunction<JavaClass> count) {
        return new ArchCondition<>("have at most " + most + " " + what) {
            @Override
            public void check(JavaClass each, ConditionEvents events) {
                int found = count.applyAsInt(each);
                if (found > most) {
                    events.add(SimpleConditionEvent.violated(each, each.getName() + ": " + found + " " + what));
                }
            }
        };
    }

    private static int fields(JavaClass each) {
        return (int) each.getFields().stream()
                .map(JavaField::getModifiers)
                .filter(modifiers ->
                        !modifiers.contains(JavaModifier.STATIC) && !modifiers.contains(JavaModifier.SYNTHETIC))
                .count();
    }

    private static int methods(JavaClass each) {
        return (int) each.getMethods().stream()
                .map(JavaMethod::getModifiers)
                .filter(modifiers ->
                        !modifiers.contains(JavaModifier.SYNTHETIC) && !modifiers.contains(JavaModifier.BRIDGE))
                .count();
    }

    private static int parameters(JavaClass each) {
        return each.getConstructors().stream()
                .map(JavaConstructor::getParameters)
                .mapToInt(List::size)
                .max()
                .orElse(0);
    }
}
