package io.millrace.bench.compare;

import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The results of one run.
 *
 * @param quick whether it was too short for figures
 * @param machine the machine and the versions
 * @param scenarios the loads
 * @param measurements in the order in which they were made
 */
record Results(boolean quick, Machine machine, Scenarios scenarios, List<Measurement> measurements) {
    /** A figure of a measurement. {@code direct} is the measurement without a target in the same round, or null. */
    @FunctionalInterface
    interface Figure {
        double of(Measurement measured, @Nullable Measurement direct);
    }

    /** The peers that were measured, in the order of {@link Peer}. */
    List<Peer> peers() {
        return measurements.stream()
                .map(Measurement::target)
                .distinct()
                .sorted()
                .toList();
    }

    /** The measurements of one target under one load. */
    List<Measurement> of(String scenario, Peer peer) {
        return select(measured -> measured.scenario().equals(scenario) && measured.target() == peer);
    }

    List<Measurement> select(Predicate<Measurement> which) {
        return measurements.stream().filter(which).toList();
    }

    /** A figure over all rounds that are not void; empty if there are none. */
    Optional<Spread> spread(String scenario, Peer peer, Figure figure) {
        double[] values = of(scenario, peer).stream()
                .filter(measured -> measured.flaw() == null)
                .mapToDouble(measured -> value(measured, figure))
                .filter(Double::isFinite)
                .toArray();
        return values.length == 0 ? Optional.empty() : Optional.of(Spread.of(values));
    }

    /** The figure; NaN if it needs a direct measurement and there was none. */
    private double value(Measurement measured, Figure figure) {
        var direct = of(measured.scenario(), Peer.DIRECT).stream()
                .filter(other -> other.round() == measured.round())
                .findFirst();
        return figure.of(measured, direct.orElse(null));
    }
}
