package io.millrace.server.telemetry.otlp;

import static org.assertj.core.api.Assertions.assertThat;

import io.opentelemetry.api.common.AttributeKey;
import java.io.IOException;
import java.lang.reflect.Field;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class NamesTest {
    private static final Pattern NAME =
            Pattern.compile("`((?:gen_ai|millrace|server|client|http|url|error|service)\\.[a-z_.]+)`");

    @Test
    void theDocumentationListsEachNameAndNoOther() throws Exception {
        var sent = new TreeSet<String>();
        Names.TOKENS.forEach(counter -> sent.add(counter.name()));
        for (Field field : Names.class.getDeclaredFields()) {
            Object value = field.get(null);
            if (value instanceof AttributeKey<?> key) {
                sent.add(key.getKey());
            } else if (value instanceof String name && name.contains(".") && !name.equals(Names.SCOPE)) {
                sent.add(name);
            }
        }
        assertThat(documented()).isEqualTo(sent);
    }

    private static Set<String> documented() throws IOException {
        String docs = Files.readString(Path.of("..", "docs", "observability.md"));
        String section = docs.substring(docs.indexOf("\n## OpenTelemetry"), docs.indexOf("\n## The access log"));
        var names = new TreeSet<String>();
        NAME.matcher(section).results().forEach(name -> names.add(name.group(1)));
        return names;
    }
}
