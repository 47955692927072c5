package io.millrace.server.config;

/**
 * How much one client may ask for. All of its keys share these limits.
 *
 * @param streams requests in progress at once
 * @param requestsPerSecond requests a second on average; 0 is no limit
 * @param burst requests that may come at once after a pause
 * @param requestsPerMinute requests a minute on average; as many may come at once after a pause; 0 is no limit
 * @param tokensPerMinute input and output tokens a minute on average; as many may be used at once after a pause; 0 is no limit
 * @param tokensPerDay tokens of a day in UTC; 0 is no limit
 * @param tokensPerMonth tokens of a month in UTC; 0 is no limit
 */
public record ClientLimits(
        int streams,
        double requestsPerSecond,
        int burst,
        int requestsPerMinute,
        long tokensPerMinute,
        long tokensPerDay,
        long tokensPerMonth)
        implements Settings<ClientLimits, ClientLimits.Builder> {
    /** 512 at once, 50 a second, 200 after a pause, and no limit for tokens. */
    public static final ClientLimits DEFAULT = Builders.build(ClientLimits.class, new Builder());

    private static final long MOST_TOKENS = 1_000_000_000_000L;

    public ClientLimits {
        Checks.range("streams", streams, 1, 10_000_000);
        if (!(requestsPerSecond == 0 || (requestsPerSecond >= 0.001 && requestsPerSecond <= 1_000_000))) {
            throw new IllegalArgumentException(
                    "requestsPerSecond: " + requestsPerSecond + " (expected: 0, or 0.001 to 1000000)");
        }
        Checks.range("burst", burst, 1, 10_000_000);
        Checks.range("requestsPerMinute", requestsPerMinute, 0, 60_000_000);
        Checks.range("tokensPerMinute", tokensPerMinute, 0, MOST_TOKENS);
        Checks.range("tokensPerDay", tokensPerDay, 0, MOST_TOKENS);
        Checks.range("tokensPerMonth", tokensPerMonth, 0, MOST_TOKENS);
    }

    /** Whether tokens are counted. */
    public boolean ofTokens() {
        return tokensPerMinute > 0 || tokensPerDay > 0 || tokensPerMonth > 0;
    }

    /** The components by name; the values of a new one are the defaults. */
    public static final class Builder {
        public int streams = 512;
        public double requestsPerSecond = 50;
        public int burst = 200;
        public int requestsPerMinute;
        public long tokensPerMinute;
        public long tokensPerDay;
        public long tokensPerMonth;
    }
}
