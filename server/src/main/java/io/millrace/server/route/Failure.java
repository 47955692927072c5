package io.millrace.server.route;

import io.millrace.codec.translate.TranslationException;
import io.millrace.server.balance.RetryAfter;
import io.millrace.server.http.Refusal;
import io.millrace.server.http.SecretMask;
import io.millrace.server.upstream.ConnectFailure;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Why an attempt failed before its client had any part of the answer.
 *
 * @param reason one word for the access log: a status, or the kind of failure
 * @param sameTarget whether another attempt at the same upstream may succeed
 * @param retryAfterNs the wait that the upstream asked for, or {@link RetryAfter#NONE}
 * @param refusal the client's response if no other attempt succeeds; null for the upstream's own answer, which the
 *     attempt holds
 */
public record Failure(
        String reason,
        boolean sameTarget,
        long retryAfterNs,
        @Nullable Refusal refusal) {
    private static final Logger LOG = LoggerFactory.getLogger(Failure.class);
    private static final String UNTRANSLATABLE = "untranslatable";
    private static final String OVERLOADED = "overloaded";
    private static final String BUSY = "busy";

    /** The upstream's own answer is an error. */
    public static Failure ofAnswer(String reason, long retryAfterNs) {
        return new Failure(reason, true, retryAfterNs, null);
    }

    /** There is no answer of the upstream. */
    public static Failure of(String reason, int status, String code, String message) {
        return new Failure(reason, true, RetryAfter.NONE, Refusal.of(status, code, message));
    }

    /**
     * The upstream's dialect cannot express the request. This upstream was not asked, but an upstream of another
     * dialect may be.
     */
    public static Failure untranslatable(Throwable why) {
        if (why instanceof TranslationException refused) {
            return untranslated(400, "unsupported_parameter", refused.getMessage(), refused.param());
        }
        // Without its message, which may have a part of the prompt.
        StackTraceElement[] trace = why.getStackTrace();
        Object where = trace.length == 0 ? "an unknown place" : trace[0];
        LOG.error("a request could not be translated: {} at {}", why.getClass().getName(), where);
        return untranslated(500, "internal_error", "The relay failed to translate the request.", null);
    }

    private static Failure untranslated(int status, String code, String message, @Nullable String param) {
        return new Failure(UNTRANSLATABLE, false, RetryAfter.NONE, new Refusal(status, code, message, param, null));
    }

    /** Too many long requests wait for their translation. The upstream was not asked. */
    public static Failure overloaded() {
        String message = "The relay has too many long requests to translate. Try again.";
        return exhausted(message);
    }

    /** The relay could not open a connection, mostly because it has no descriptor left. The upstream was not asked. */
    public static Failure exhausted(String detail) {
        return new Failure(OVERLOADED, false, RetryAfter.NONE, Refusal.overloaded(detail));
    }

    /** This failure with another message for the client. */
    public Failure withRefusal(Refusal other) {
        return new Failure(reason, sameTarget, retryAfterNs, other);
    }

    /** This failure with a message in which {@code mask} hides the relay's key. The message may quote the upstream. */
    public Failure masked(SecretMask mask) {
        return refusal == null
                ? this
                : withRefusal(new Refusal(
                        refusal.status(),
                        refusal.code(),
                        mask.apply(refusal.message()),
                        refusal.field(),
                        refusal.retryAfter()));
    }

    /**
     * Whether the upstream got no part of the request. The answer of an upstream that was asked is then more useful to
     * the client.
     */
    public boolean unasked() {
        return reason.equals(UNTRANSLATABLE) || reason.equals(OVERLOADED) || reason.equals(BUSY);
    }

    /** There is no connection. */
    public static Failure ofConnect(ConnectFailure failure) {
        return switch (failure.kind()) {
            case FULL -> busy(failure.detail());
            case OWN -> exhausted(failure.detail());
            case TIMEOUT -> of("connect_timeout", 504, "upstream_connect_timeout", failure.detail());
            case UNREACHABLE -> of("connect", 502, "upstream_unreachable", failure.detail());
        };
    }

    /** All connections are in use. This is not the upstream's fault, but another upstream must serve the request. */
    public static Failure busy(String detail) {
        return new Failure(BUSY, false, RetryAfter.NONE, new Refusal(503, "upstream_busy", detail, null, "1"));
    }
}
