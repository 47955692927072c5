package io.millrace.server.listen;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class InheritedSocketsTest {
    @Test
    void socketsOfTheServiceManagerHaveItsNames() {
        InheritedSockets sockets = of("7", "4", "web:admin:web", 7);
        assertThat(sockets.left()).containsExactlyInAnyOrder("systemd:web", "systemd:admin", "systemd:unknown");
        assertThat(sockets.take("systemd:web")).containsExactly(3, 5);
        assertThat(sockets.take("systemd:admin")).containsExactly(4);
        assertThat(sockets.take("systemd:unknown")).containsExactly(6);
        assertThat(sockets.take("systemd:web")).isEmpty();
        assertThat(sockets.left()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"8, 1, 7", "'', 1, 7", "7, '', 7", "7, x, 7", "7, -1, 7", "7, 0, 7"})
    void otherVariablesMeanNothing(String pid, String count, long own) {
        assertThat(of(pid, count, "web", own).left()).isEmpty();
        assertThat(InheritedSockets.ofServiceManager(Map.of(), own).left()).isEmpty();
    }

    @Test
    void withoutNamesTheyAreUnknown() {
        var environment = Map.of("LISTEN_PID", "7", "LISTEN_FDS", "2");
        assertThat(InheritedSockets.ofServiceManager(environment, 7).take("systemd:unknown"))
                .containsExactly(3, 4);
    }

    private static InheritedSockets of(String pid, String count, String names, long own) {
        var environment = new HashMap<String, String>();
        environment.put("LISTEN_PID", pid);
        environment.put("LISTEN_FDS", count);
        environment.put("LISTEN_FDNAMES", names);
        return InheritedSockets.ofServiceManager(environment, own);
    }
}
