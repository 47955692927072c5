package io.millrace.bench.compare;

/**
 * A load that h2load makes, by one protocol.
 *
 * @param load how many streams of what, and for how long
 * @param protocol of the clients
 */
record EdgeScenario(Scenario load, ClientProtocol protocol) {
    /** The load under the name that it has in results. */
    Scenario named() {
        return load.named(name(load, protocol));
    }

    static String name(Scenario load, ClientProtocol protocol) {
        return load.name() + ", " + protocol.label();
    }
}
