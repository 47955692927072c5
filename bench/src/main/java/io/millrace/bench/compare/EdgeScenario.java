package io.millrace.bench.compare;

/**
 * A load that h2load makes, over one protocol.
 *
 * @param load the streams and their times
 * @param protocol of the clients
 */
record EdgeScenario(Scenario load, ClientProtocol protocol) {
    /** The load with the name that it has in the results. */
    Scenario named() {
        return load.named(name(load, protocol));
    }

    static String name(Scenario load, ClientProtocol protocol) {
        return load.name() + ", " + protocol.label();
    }
}
