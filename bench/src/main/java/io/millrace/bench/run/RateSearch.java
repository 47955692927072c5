package io.millrace.bench.run;

/**
 * Decides which rate to try next. It doubles the rate until one is too high, or halves it until one is good. Then it
 * tries the middle between the highest good rate and the lowest bad one, until these are 5% apart. A rate at which the
 * client was not fit is tried once more. If the client is not fit again, the search ends there.
 */
final class RateSearch {
    private static final double CLOSE = 1.05;
    private static final int MOST_TRIALS = 24;
    private static final double MOST = 1e6;
    private static final int MOST_HALVINGS = 6;
    private static final int MOST_UNFIT = 2;

    private double rate;
    private double good;
    private double bad = Double.POSITIVE_INFINITY;
    private int trials;
    private int unfit;

    /** What a run at a rate showed. */
    enum Trial {
        /** Enough streams kept the limits. */
        GOOD,
        /** Too few streams kept the limits. */
        BAD,
        /** The client was not fit to tell. */
        UNFIT
    }

    RateSearch(double first) {
        rate = first;
    }

    /** The rate to try now. */
    double rate() {
        return rate;
    }

    /** Whether nothing is left to try. */
    boolean isOver() {
        return isUnfit()
                || trials >= MOST_TRIALS
                || rate > MOST
                || (good == 0 && trials > MOST_HALVINGS)
                || (good > 0 && bad / good <= CLOSE);
    }

    /** The highest that was good; 0 if none was. */
    double best() {
        return good;
    }

    /** The lowest that was bad; infinite if none was. */
    double bad() {
        return bad;
    }

    /** Whether the search ended because the client was not fit at {@link #rate}. */
    boolean isUnfit() {
        return unfit >= MOST_UNFIT;
    }

    /** Records the result of the current rate. */
    void tried(Trial trial) {
        trials++;
        if (trial == Trial.UNFIT) {
            unfit++;
            return;
        }
        unfit = 0;
        if (trial == Trial.GOOD) {
            good = rate;
        } else {
            bad = rate;
        }
        rate = Double.isInfinite(bad) ? rate * 2 : good == 0 ? rate / 2 : rounded((good + bad) / 2);
    }

    /** Rounds to a number with few digits, if the result stays between the two rates. */
    private double rounded(double middle) {
        double step = middle >= 50 ? 1 : middle >= 5 ? 0.1 : 0.01;
        double rounded = Math.rint(middle / step) * step;
        return rounded > good && rounded < bad ? Math.rint(rounded * 100) / 100 : middle;
    }
}
