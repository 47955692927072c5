package io.millrace.server.test;

import io.millrace.server.access.KeyFormat;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.RelayConfig.ClientAccess;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.SecureRandom;
import java.util.LinkedHashMap;
import java.util.Map;

/** A file of clients, and their keys. */
public final class ClientFile {
    private final Path file;
    private final Map<String, String> clients = new LinkedHashMap<>();

    /** In this directory, not written yet. */
    public ClientFile(Path directory) {
        file = directory.resolve("clients.yaml");
    }

    public static String newKey() {
        return KeyFormat.generate(new SecureRandom());
    }

    /** With a client that has one new key; {@code settings} are lines such as {@code models: [m]}. Gives the key. */
    public String add(String name, String... settings) {
        String key = newKey();
        put(name, new String[] {key}, settings);
        return key;
    }

    /** With a client that has these keys. */
    public void put(String name, String[] keys, String... settings) {
        var yaml = new StringBuilder("  " + name + ":\n" + (keys.length == 0 ? "" : "    keys:\n"));
        for (String key : keys) {
            yaml.append("      - sha256: ").append(KeyFormat.hash(key)).append('\n');
        }
        for (String setting : settings) {
            yaml.append("    ").append(setting).append('\n');
        }
        clients.put(name, yaml.toString());
    }

    public void remove(String name) {
        clients.remove(name);
    }

    /** Writes it, in one step. */
    public Path write() {
        return write("clients:\n" + String.join("", clients.values()));
    }

    /** Writes this text in place of it. */
    public Path write(String text) {
        try {
            Path next = file.resolveSibling("next");
            Files.writeString(next, text);
            return Files.move(next, file, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** {@code config} with these clients, after they are written. */
    public RelayConfig in(RelayConfig config) {
        write();
        return config.with(c -> c.clients = ClientAccess.of(file));
    }
}
