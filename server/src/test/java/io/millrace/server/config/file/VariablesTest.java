package io.millrace.server.config.file;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class VariablesTest {
    @ParameterizedTest
    @ValueSource(
            strings = {
                "MILLRACE_LISTEN",
                "MILLRACE_OPTS",
                "MILLRACE_PROFILE",
                "MILLRACE_SERVICE_HOST",
                "MILLRACE_SERVICE_PORT",
                "MILLRACE_SERVICE_PORT_HTTP",
                "MILLRACE_PORT",
                "MILLRACE_PORT_8080_TCP",
                "MILLRACE_PORT_8080_TCP_ADDR",
                "MILLRACE_ADMIN_SERVICE_HOST",
                "MILLRACE_ADMIN_PORT_9090_TCP_PORT",
                "PATH"
            })
    void takesWhatIsReadAndWhatOrchestratorsSet(String name) {
        assertThat(new Variables(List.of(name)).unknown()).isEmpty();
    }

    @Test
    void findsAMisspelledOne() {
        var variables = new Variables(List.of("MILLRACE_LISTN", "MILLRACE_KEY"));

        assertThat(variables.message("MILLRACE_LISTN")).isEqualTo("unknown variable, did you mean 'MILLRACE_LISTEN'?");
        variables.uses("MILLRACE_KEY");
        assertThat(variables.unknown()).containsExactly("MILLRACE_LISTN");
    }
}
