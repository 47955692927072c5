package io.millrace.server.balance;

import java.util.Locale;

/**
 * What is known of an origin at one moment.
 *
 * @param url its URL
 * @param leftNs nanoseconds until its ejection is over; 0 if it is not ejected
 * @param inFlight attempts in progress
 * @param ejections how often it was ejected
 * @param ttftNs its average time to first token; -1 if none is known
 * @param warming whether it gets only a share of the requests yet, because it serves again since a short time
 */
public record OriginHealth(
        String url, Serving serving, long leftNs, int inFlight, long ejections, long ttftNs, boolean warming) {
    /** Whether an origin gets requests. */
    public enum Serving {
        /** It does. */
        YES,
        /** It is ejected. */
        EJECTED,
        /** Its ejection is over, and one attempt decides. */
        ON_TRIAL,
        /** Its active checks fail. */
        DOWN;

        private final String label = name().toLowerCase(Locale.ROOT).replace('_', ' ');

        /** The name in the feed of the live view. */
        public String label() {
            return label;
        }
    }
}
