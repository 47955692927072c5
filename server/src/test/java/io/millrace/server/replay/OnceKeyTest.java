package io.millrace.server.replay;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.server.http.Target;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.DefaultHttpHeaders;
import io.netty.handler.codec.http.DefaultHttpHeadersFactory;
import io.netty.handler.codec.http.HttpHeaders;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class OnceKeyTest {
    private static final String KEY = "0123456789abcdef";
    private static final byte[] ALICE = {1};

    @Test
    void aKeyHas16To255VisibleCharactersOfAscii() {
        assertThat(OnceKey.isValid(key(KEY))).isTrue();
        assertThat(OnceKey.isValid(key("\"" + KEY + "\""))).isTrue();
        assertThat(OnceKey.isValid(key("~".repeat(255)))).isTrue();
        assertThat(OnceKey.isValid(key("~".repeat(256)))).isFalse();
        assertThat(OnceKey.isValid(key(KEY.substring(1)))).isFalse();
        assertThat(OnceKey.isValid(key(KEY + " x"))).isFalse();
        assertThat(OnceKey.isValid(key(KEY + "é"))).isFalse();
        assertThat(OnceKey.isValid(key(KEY).add(OnceKey.FIELD, KEY))).isFalse();
        assertThat(OnceKey.isValid(new DefaultHttpHeaders())).isFalse();
        assertThat(OnceKey.isIn(key("short"))).isTrue();
    }

    @Test
    void theScopeIsOfOneClientAndOnePath() {
        OnceKey first = of(KEY, ALICE, "/v1/responses", "{}");
        assertThat(of(KEY, ALICE, "/v1/responses", "{}")).isEqualTo(first);
        assertThat(of(KEY + "0", ALICE, "/v1/responses", "{}").scope()).isNotEqualTo(first.scope());
        assertThat(of(KEY, new byte[] {2}, "/v1/responses", "{}").scope()).isNotEqualTo(first.scope());
        assertThat(of(KEY, ALICE, "/v1/messages", "{}").scope()).isNotEqualTo(first.scope());
        assertSameNameOfOtherContent(of(KEY, ALICE, "/v1/responses", "{ }"), first);
        assertSameNameOfOtherContent(of(KEY, ALICE, "/v1/responses?beta=true", "{}"), first);
    }

    private static void assertSameNameOfOtherContent(OnceKey other, OnceKey first) {
        assertThat(other.scope()).isEqualTo(first.scope());
        assertThat(other.content()).isNotEqualTo(first.content());
    }

    private static OnceKey of(String key, byte[] owner, String uri, String body) {
        return OnceKey.of(key(key), owner, Target.of(uri), Unpooled.copiedBuffer(body, StandardCharsets.UTF_8));
    }

    private static HttpHeaders key(String value) {
        return DefaultHttpHeadersFactory.headersFactory()
                .withValidation(false)
                .newHeaders()
                .add(OnceKey.FIELD, value);
    }
}
