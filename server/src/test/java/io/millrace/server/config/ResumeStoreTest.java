package io.millrace.server.config;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.server.config.Credential.Secret;
import org.junit.jupiter.api.Test;

class ResumeStoreTest {
    /** It is made once for many requests, and again for another secret. */
    @Test
    void theSaltIsThatOfTheSecret() {
        ResumeStore one = store("a secret of thirty-two characters or more");
        ResumeStore other = store("another secret of thirty-two characters");
        byte[] salt = one.salt();
        assertThat(salt).hasSize(32).isSameAs(one.salt());
        assertThat(other.salt()).hasSize(32).isNotEqualTo(salt).isEqualTo(other.salt());
        assertThat(one.salt()).isEqualTo(salt);
        assertThat(store("a secret of thirty-two characters or more").salt()).isEqualTo(salt);
    }

    private static ResumeStore store(String secret) {
        return ResumeStore.DEFAULT.with(s -> s.secret = Secret.of(secret, "env: SECRET"));
    }
}
