package io.millrace.server.relay;

import io.millrace.codec.translate.TranslationException;
import io.millrace.server.balance.RetryAfter;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Why an attempt failed before the client had anything of it.
 *
 * @param reason in a word, for the access log: a status, or what happened
 * @param sameTarget whether another attempt at the same upstream may mend it
 * @param retryAfterNs the wait that the upstream asked for, or {@link RetryAfter#NONE}
 * @param refusal what the client gets if nothing mends it; null is the upstream's own answer, which the attempt holds
 */
record Failure(String reason, boolean sameTarget, long retryAfterNs, Refusal refusal) {
    private static final Logger LOG = LoggerFactory.getLogger(Failure.class);

    /** The upstream's own answer is an error. */
    static Failure ofAnswer(String reason, long retryAfterNs) {
        return new Failure(reason, true, retryAfterNs, null);
    }

    /** There is no answer of the upstream's to give. */
    static Failure of(String reason, int status, String code, String message) {
        return new Failure(reason, true, RetryAfter.NONE, new Refusal(status, code, message, null, null));
    }

    /** The upstream's dialect cannot express the request: it was not asked, but one of another dialect may be. */
    static Failure untranslatable(RuntimeException why) {
        if (why instanceof TranslationException refused) {
            return untranslated(400, "unsupported_parameter", refused.getMessage(), refused.param());
        }
        // Not its message, which may have a part of the prompt.
        LOG.error("a request could not be translated: {} at {}", why.getClass().getName(), why.getStackTrace()[0]);
        return untranslated(500, "internal_error", "The relay failed to translate the request.", null);
    }

    private static Failure untranslated(int status, String code, String message, String param) {
        return new Failure("untranslatable", false, RetryAfter.NONE, new Refusal(status, code, message, param, null));
    }

    /** All connections that are allowed are in use: the upstream is not at fault, but another must serve. */
    static Failure busy(String detail) {
        return new Failure("busy", false, RetryAfter.NONE, new Refusal(503, "upstream_busy", detail, null, "1"));
    }
}
