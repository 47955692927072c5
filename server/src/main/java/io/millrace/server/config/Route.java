package io.millrace.server.config;

import io.millrace.codec.dialect.Dialect;
import java.util.List;
import java.util.Objects;

/**
 * Where requests of one kind go, and how they are treated there. Routes are tried in order, the first match takes it.
 *
 * @param name shown in logs
 * @param match which requests it takes
 * @param targets where they go, at least one: the first, and each other one when those before it cannot serve
 * @param dialect of their streams; null finds it by path
 * @param timeouts the route's own, else the relay's
 * @param heartbeat the route's own, else the relay's
 * @param retry how often each target is tried
 * @param hedge when a second attempt joins the first; null is never
 * @param disconnect what becomes of an answer whose client leaves
 * @param includeUsage whether Chat streams are made to tell their usage, also for clients that did not ask for it
 * @param balance how one of an upstream's origins is chosen
 * @param translation what becomes of a field that no translation knows
 */
public record Route(
        String name,
        Match match,
        List<RouteTarget> targets,
        Dialect dialect,
        Timeouts timeouts,
        Heartbeat heartbeat,
        Retry retry,
        Hedge hedge,
        Disconnect disconnect,
        boolean includeUsage,
        Balance balance,
        TranslationMode translation) {
    public Route {
        Checks.notBlank("name", name);
        Objects.requireNonNull(match, "match");
        targets = List.copyOf(targets);
        if (targets.isEmpty()) {
            throw new IllegalArgumentException("targets: [] (expected: at least one)");
        }
        Objects.requireNonNull(timeouts, "timeouts");
        Objects.requireNonNull(heartbeat, "heartbeat");
        Objects.requireNonNull(retry, "retry");
        Objects.requireNonNull(disconnect, "disconnect");
        Objects.requireNonNull(balance, "balance");
        Objects.requireNonNull(translation, "translation");
    }

    /** A route with defaults to one target. */
    public static Route of(String name, Match match, String upstream) {
        return of(name, match, List.of(RouteTarget.of(upstream)));
    }

    /** A route with defaults. */
    public static Route of(String name, Match match, List<RouteTarget> targets) {
        return new Route(
                name,
                match,
                targets,
                null,
                Timeouts.DEFAULT,
                Heartbeat.DEFAULT,
                Retry.DEFAULT,
                null,
                Disconnect.CANCEL,
                false,
                Balance.P2C,
                TranslationMode.LENIENT);
    }

    /** The name of the first target's upstream. */
    public String upstream() {
        return targets.get(0).upstream();
    }

    /** What the model is replaced by for the first target, or null. */
    public String rewriteModel() {
        return targets.get(0).rewriteModel();
    }

    /** The timeouts that hold at {@code target}. */
    public Timeouts timeouts(RouteTarget target) {
        return target.timeouts() == null ? timeouts : target.timeouts();
    }

    /** This with {@code rewriteModel} for every target. */
    public Route withRewriteModel(String rewriteModel) {
        return withTargets(
                targets.stream().map(t -> t.withRewriteModel(rewriteModel)).toList());
    }

    /** This with other {@code targets}. */
    public Route withTargets(List<RouteTarget> targets) {
        return new Route(
                name,
                match,
                targets,
                dialect,
                timeouts,
                heartbeat,
                retry,
                hedge,
                disconnect,
                includeUsage,
                balance,
                translation);
    }

    /** This with another {@code dialect}. */
    public Route withDialect(Dialect dialect) {
        return new Route(
                name,
                match,
                targets,
                dialect,
                timeouts,
                heartbeat,
                retry,
                hedge,
                disconnect,
                includeUsage,
                balance,
                translation);
    }

    /** This with other {@code timeouts}. */
    public Route withTimeouts(Timeouts timeouts) {
        return new Route(
                name,
                match,
                targets,
                dialect,
                timeouts,
                heartbeat,
                retry,
                hedge,
                disconnect,
                includeUsage,
                balance,
                translation);
    }

    /** This with another {@code heartbeat}. */
    public Route withHeartbeat(Heartbeat heartbeat) {
        return new Route(
                name,
                match,
                targets,
                dialect,
                timeouts,
                heartbeat,
                retry,
                hedge,
                disconnect,
                includeUsage,
                balance,
                translation);
    }

    /** This with another {@code retry}. */
    public Route withRetry(Retry retry) {
        return new Route(
                name,
                match,
                targets,
                dialect,
                timeouts,
                heartbeat,
                retry,
                hedge,
                disconnect,
                includeUsage,
                balance,
                translation);
    }

    /** This with another {@code hedge}; null is never. */
    public Route withHedge(Hedge hedge) {
        return new Route(
                name,
                match,
                targets,
                dialect,
                timeouts,
                heartbeat,
                retry,
                hedge,
                disconnect,
                includeUsage,
                balance,
                translation);
    }

    /** This with another {@code disconnect}. */
    public Route withDisconnect(Disconnect disconnect) {
        return new Route(
                name,
                match,
                targets,
                dialect,
                timeouts,
                heartbeat,
                retry,
                hedge,
                disconnect,
                includeUsage,
                balance,
                translation);
    }

    /** This with another {@code includeUsage}. */
    public Route withIncludeUsage(boolean includeUsage) {
        return new Route(
                name,
                match,
                targets,
                dialect,
                timeouts,
                heartbeat,
                retry,
                hedge,
                disconnect,
                includeUsage,
                balance,
                translation);
    }

    /** This with another {@code balance}. */
    public Route withBalance(Balance balance) {
        return new Route(
                name,
                match,
                targets,
                dialect,
                timeouts,
                heartbeat,
                retry,
                hedge,
                disconnect,
                includeUsage,
                balance,
                translation);
    }

    /** This with another {@code translation}. */
    public Route withTranslation(TranslationMode translation) {
        return new Route(
                name,
                match,
                targets,
                dialect,
                timeouts,
                heartbeat,
                retry,
                hedge,
                disconnect,
                includeUsage,
                balance,
                translation);
    }
}
