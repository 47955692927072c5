package io.millrace.it.clients;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** An SDK for Python, driven by its script in {@code clients-python}. One process runs all scenarios. */
final class PythonSdk implements Sdk {
    private static final Path CLIENTS = Path.of(System.getProperty("basedir", "."), "clients-python");

    private final String driver;

    /** The SDK with this script, such as {@code openai_sdk.py}. */
    PythonSdk(String driver) {
        this.driver = driver;
    }

    @Override
    public Map<String, Seen> run(List<Scenario> scenarios) {
        Path python = CLIENTS.resolve(".venv/bin/python").toAbsolutePath();
        if (!Files.isExecutable(python)) {
            throw new IllegalStateException("The client SDKs are not installed: run scripts/setup-it");
        }
        return new DriverProcess(python, CLIENTS, driver).run(scenarios);
    }
}
