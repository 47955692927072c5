package io.millrace.server.route;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.server.balance.RetryAfter;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FailureClassTest {
    @ParameterizedTest
    @ValueSource(
            strings = {
                "overloaded_error",
                "api_error",
                "rate_limit_error",
                "server_error",
                "rate_limit_exceeded",
                "UNAVAILABLE",
                "RESOURCE_EXHAUSTED",
                "INTERNAL",
                "DEADLINE_EXCEEDED",
                "InternalServerError",
                "503",
                "429",
                "529"
            })
    void triesAgainWhatIsOfTheServerOrItsLoad(String type) {
        assertThat(FailureClass.isRetryable(type)).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "insufficient_quota",
                "invalid_prompt",
                "context_length_exceeded",
                "invalid_request_error",
                "authentication_error",
                "permission_error",
                "INVALID_ARGUMENT",
                "400",
                "501",
                "5030",
                "whatever"
            })
    void leavesWhatIsOfTheRequestOrTheAccount(String type) {
        assertThat(FailureClass.isRetryable(type)).isFalse();
    }

    @Test
    void knowsNothingOfAnErrorWithoutAType() {
        assertThat(FailureClass.isRetryable((String) null)).isFalse();
        assertThat(read("{\"error\":{\"message\":\"no\"}}").retryable()).isFalse();
        assertThat(read("{\"error\":null}")).isEqualTo(FailureClass.ErrorBody.NONE);
        assertThat(read("[]")).isEqualTo(FailureClass.ErrorBody.NONE);
        assertThat(read("")).isEqualTo(FailureClass.ErrorBody.NONE);
        assertThat(read("<html>")).isEqualTo(FailureClass.ErrorBody.NONE);
    }

    @Test
    void readsTheTypesOfABody() {
        assertThat(read("{\"error\":{\"type\":\"server_error\",\"code\":null}}").retryable())
                .isTrue();
        assertThat(read("{\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\"}}")
                        .retryable())
                .isTrue();
        assertThat(read("{\"error\":{\"type\":\"requests\",\"code\":\"insufficient_quota\"}}"))
                .isEqualTo(new FailureClass.ErrorBody(false, true, true, RetryAfter.NONE));
        assertThat(read("{\"error\":{\"type\":\"rate_limit_error\",\"details\":{\"error_code\":\"spend_limit\"}}}")
                        .hopeless())
                .isTrue();
    }

    @Test
    void readsErrorsWithoutAnErrorObject() {
        assertThat(read("{\"object\":\"error\",\"message\":\"m\",\"code\":500}").retryable())
                .isTrue();
        assertThat(read("{\"error_type\":\"server_error\",\"error_message\":\"m\"}")
                        .retryable())
                .isTrue();
        assertThat(read("{\"code\":\"429\",\"message\":\"m\"}").retryable()).isTrue();
        assertThat(read("{\"code\":\"insufficient_quota\",\"message\":\"m\",\"status_code\":429}")
                        .hopeless())
                .isTrue();
        assertThat(read("{\"code\":500,\"message\":\"m\",\"choices\":[]}")).isEqualTo(FailureClass.ErrorBody.NONE);
        assertThat(read("{\"code\":500}")).isEqualTo(FailureClass.ErrorBody.NONE);
    }

    @Test
    void readsTheDelayThatGeminiAsksFor() {
        var body = read("[{\"error\":{\"code\":429,\"status\":\"RESOURCE_EXHAUSTED\",\"details\":["
                + "{\"@type\":\"type.googleapis.com/google.rpc.Help\"},"
                + "{\"@type\":\"type.googleapis.com/google.rpc.RetryInfo\",\"retryDelay\":\"34.5s\"}]}}]");
        assertThat(body.retryable()).isTrue();
        assertThat(body.retryAfterNs()).isEqualTo(Duration.ofMillis(34_500).toNanos());
    }

    @ParameterizedTest
    @ValueSource(strings = {"Infinitys", "0x1p3s", "1ds", "-1s", "s", "34"})
    void takesADelayThatIsNoNumberForNone(String delay) {
        var body = read("{\"error\":{\"code\":429,\"details\":[{\"retryDelay\":\"" + delay + "\"}]}}");
        assertThat(body.retryAfterNs()).isEqualTo(RetryAfter.NONE);
    }

    private static FailureClass.ErrorBody read(String json) {
        return FailureClass.ofBody(Unpooled.copiedBuffer(json, StandardCharsets.UTF_8));
    }
}
