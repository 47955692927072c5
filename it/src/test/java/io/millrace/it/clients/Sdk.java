package io.millrace.it.clients;

import java.util.List;
import java.util.Map;

/** A client SDK, retries off. */
interface Sdk {
    /** Runs every scenario to its end; by the scenario's name. */
    Map<String, Seen> run(List<Scenario> scenarios);
}
