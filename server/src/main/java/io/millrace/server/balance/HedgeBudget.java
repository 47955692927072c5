package io.millrace.server.balance;

/** Keeps hedges below a share of all requests, even if requests are rare. Thread-safe. */
public final class HedgeBudget {
    private static final double MOST_SAVED = 10;

    private final double maxShare;
    private double saved;

    /**
     * Creates the budget of one route.
     *
     * @param maxShare the share of all requests, 0 to 1
     */
    public HedgeBudget(double maxShare) {
        this.maxShare = maxShare;
    }

    /** Counts a client's request. */
    public synchronized void onRequest() {
        saved = Math.min(MOST_SAVED, saved + maxShare);
    }

    /** Takes the cost of one hedge. False if the budget does not have it. */
    public synchronized boolean tryHedge() {
        if (saved < 1) {
            return false;
        }
        saved--;
        return true;
    }
}
