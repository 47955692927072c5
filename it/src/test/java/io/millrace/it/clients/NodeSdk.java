package io.millrace.it.clients;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** An SDK on Node, driven by its script in {@code clients-node}. One process runs all scenarios. */
final class NodeSdk implements Sdk {
    private static final Path CLIENTS = Path.of(System.getProperty("basedir", "."), "clients-node");

    private final String driver;

    /** The SDK with this script, such as {@code openai.mjs}. */
    NodeSdk(String driver) {
        this.driver = driver;
    }

    @Override
    public Map<String, Seen> run(List<Scenario> scenarios) {
        return process().run(scenarios);
    }

    /** Passes {@code scenarios} to the script as JSON, and reads its result for each as {@code type}. */
    <T> List<T> run(List<?> scenarios, Class<T> type) {
        return process().run(scenarios, type);
    }

    private DriverProcess process() {
        return new DriverProcess(node(), CLIENTS, driver);
    }

    /**
     * The packaged Node of a fixed version. If there is none for this machine, the Node on the path, which must not be
     * older.
     */
    static Path node() {
        var installed = CLIENTS.resolve("node_modules/.installed-lock.json");
        if (!Files.exists(installed)) {
            throw new IllegalStateException("The client SDKs are not installed: run scripts/setup-it");
        }
        var locked = CLIENTS.resolve("node_modules/.bin/node").toAbsolutePath();
        return Files.isExecutable(locked) ? locked : Path.of("node");
    }
}
