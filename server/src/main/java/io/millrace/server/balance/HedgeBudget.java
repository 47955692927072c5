package io.millrace.server.balance;

/** Keeps hedges below a share of all requests, also where requests are rare. Thread-safe. */
public final class HedgeBudget {
    private static final double MOST_SAVED = 10;

    private final double maxShare;
    private double saved;

    /**
     * A budget of its own for each route.
     *
     * @param maxShare of all requests, 0 to 1
     */
    public HedgeBudget(double maxShare) {
        this.maxShare = maxShare;
    }

    /** Counts a client's request. */
    public synchronized void onRequest() {
        saved = Math.min(MOST_SAVED, saved + maxShare);
    }

    /** Takes what one hedge costs; false if the requests so far have not paid for it. */
    public synchronized boolean tryHedge() {
        if (saved < 1) {
            return false;
        }
        saved--;
        return true;
    }
}
