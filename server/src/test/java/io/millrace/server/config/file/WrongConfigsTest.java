package io.millrace.server.config.file;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Wrong configurations, each with what is said of it, in {@code wrong-configs.txt}: a heading, the file, a line of
 * dashes, the messages. {@code -Dwrong-configs.write=true} writes the messages anew, to be read before they are kept.
 */
class WrongConfigsTest {
    private static final Path GOLDEN = Path.of("src", "test", "resources", "wrong-configs.txt");
    private static final String HEADING = "=== ";
    private static final String RULE = "----\n";

    @TempDir
    private Path directory;

    @Test
    void saysWhatIsWrongWhereAndWhatIsExpected() throws IOException {
        String golden = Files.readString(GOLDEN);
        String[] cases = golden.split("(?m)^" + HEADING, -1);
        assertThat(cases).hasSizeGreaterThan(40);

        String said = Arrays.stream(cases).skip(1).map(this::judged).collect(Collectors.joining("", cases[0], ""));

        if (Boolean.getBoolean("wrong-configs.write")) {
            Files.writeString(GOLDEN, said);
        }
        assertThat(said).isEqualTo(golden);
    }

    private String judged(String one) {
        String name = one.substring(0, one.indexOf('\n') + 1);
        int rule = one.indexOf("\n" + RULE);
        String yaml = one.substring(name.length(), rule + 1).replace("<TAB>", "\t");
        return HEADING + name + one.substring(name.length(), rule + 1) + RULE + messages(yaml) + "\n";
    }

    private String messages(String yaml) {
        try {
            Path file = Files.writeString(directory.resolve("m.yaml"), yaml);
            var sources =
                    new ConfigSources(file, Map.of("KEY", "s3cret"), Map.of(), () -> URI.create("http://127.0.0.1:1"));
            var wrong = catchThrowableOfType(ConfigException.class, () -> ConfigLoader.load(sources));
            assertThat(wrong).as(yaml).isNotNull();
            return wrong.details().stream()
                    .map(detail -> detail.replace(directory + "/", ""))
                    .collect(Collectors.joining("\n", "", "\n"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
