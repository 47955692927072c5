package io.millrace.server.config.file;

import io.millrace.server.config.ClientSettings;
import io.millrace.server.config.ClientSettings.ClientLimits;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.Route;
import io.millrace.server.config.file.Node.Entry;
import io.millrace.server.config.file.Node.Place;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Reads the file of clients (YAML, or JSON if its name ends in {@code .json}). It finds all problems before it reports
 * them. No message repeats the value of a key, because people paste keys in place of hashes.
 */
public final class ClientsLoader {
    private static final long LONGEST = 16L << 20;
    private static final Set<PosixFilePermission> WRITTEN_BY_OTHERS =
            Set.of(PosixFilePermission.GROUP_WRITE, PosixFilePermission.OTHERS_WRITE);

    private final Problems problems;
    private final List<ClientSettings> clients = new ArrayList<>();
    private final Map<String, String> ownerOfDigest = new HashMap<>();
    private final Map<String, String> ownerOfCertificate = new HashMap<>();

    private ClientsLoader(Problems problems) {
        this.problems = problems;
    }

    /**
     * The clients of the file.
     *
     * @throws ConfigException with everything that is wrong; also if others than the file's owner may write it
     */
    public static List<ClientSettings> load(Path file) {
        var problems = new Problems(file.toString());
        try {
            checkWriters(file);
            if (Files.size(file) > LONGEST) {
                throw new IOException("over 16MiB");
            }
            return read(Files.readString(file), file.toString().endsWith(".json"), problems);
        } catch (IOException e) {
            problems.add(file.toString(), "cannot be read: " + Secrets.reason(e));
            problems.throwIfAny();
            throw new IllegalStateException(e);
        }
    }

    /**
     * Settings of these clients that are allowed but probably not intended: routes that {@code config} does not have.
     */
    public static List<String> warnings(RelayConfig config, List<ClientSettings> clients) {
        List<String> names = config.routes().stream().map(Route::name).toList();
        return clients.stream()
                .flatMap(client -> client.routesNotIn(names).stream()
                        .map(pattern -> config.clients().file() + ": " + client.name() + ": routes: '" + pattern
                                + "' is no route of the configuration (it has: " + String.join(", ", names) + ")"))
                .toList();
    }

    /** All problems of the file, each with its place. */
    static List<String> problems(Path file) {
        try {
            load(file);
            return List.of();
        } catch (ConfigException e) {
            return e.problems();
        }
    }

    /** The clients in the text of the file that {@code problems} is about. */
    static List<ClientSettings> read(String text, boolean json, Problems problems) {
        var loader = new ClientsLoader(problems);
        try (var root = new Section(NodeReader.read(text, json, problems), problems)) {
            loader.read(root);
        }
        problems.throwIfAny();
        return List.copyOf(loader.clients);
    }

    private static void checkWriters(Path file) throws IOException {
        try {
            var mode = Files.getPosixFilePermissions(file);
            var others = new HashSet<>(mode);
            others.retainAll(WRITTEN_BY_OTHERS);
            if (!others.isEmpty()) {
                throw new IOException("others may write it, its mode is " + PosixFilePermissions.toString(mode)
                        + " (expected: chmod go-w " + file + ")");
            }
        } catch (UnsupportedOperationException e) {
            // This file system has no owners.
        }
    }

    private void read(Section root) {
        var limits = new ClientLimits[] {ClientLimits.DEFAULT};
        root.readSection(
                "defaults",
                defaults -> defaults.readSection(
                        "limits", section -> limits[0] = ClientTables.CLIENT_LIMITS.read(section, limits[0])));
        root.readNamed("clients", (name, entry) -> read(root, name, entry, limits[0]));
        if (clients.isEmpty() && !problems.any()) {
            problems.add(root.place(), "clients: none (expected: at least one, with its keys)");
        }
    }

    private void read(Section root, String name, Entry entry, ClientLimits limits) {
        ClientSettings named;
        try {
            named = ClientSettings.of(name).with(c -> c.limits = limits);
        } catch (IllegalArgumentException e) {
            problems.add(entry.place(), String.valueOf(e.getMessage()).replaceFirst("^name: ", ""));
            return;
        }
        root.enter(name, entry.value(), section -> {
            ClientSettings client = ClientTables.CLIENT.read(section, named);
            List<ClientSettings.Key> keys = keys(section, name);
            if (keys.isEmpty() && client.certificate() == null && section.node("keys") == null) {
                problems.add(entry.place(), name + ": has no keys (expected: keys, or certificate)");
            }
            if (client.certificate() != null) {
                checkSingle(ownerOfCertificate, client.certificate(), name, section.place(), "certificate");
            }
            clients.add(client.with(c -> c.keys = keys));
        });
    }

    private List<ClientSettings.Key> keys(Section client, String name) {
        var keys = new ArrayList<ClientSettings.Key>();
        client.readSections("keys", section -> {
            var expires = new Instant[1];
            section.read("expires", ClientsLoader::moment, v -> expires[0] = v);
            section.read("sha256", text -> new ClientSettings.Key(text, null), key -> {
                keys.add(new ClientSettings.Key(key.sha256(), expires[0]));
                checkSingle(ownerOfDigest, key.sha256(), name, section.place(), "sha256");
            });
            if (section.node("sha256") == null) {
                problems.add(section.place(), "keys: has no sha256 (expected: such as millrace key new prints)");
            }
        });
        return keys;
    }

    private void checkSingle(Map<String, String> owners, String identity, String name, Place place, String key) {
        String owner = owners.putIfAbsent(identity, name);
        if (owner != null) {
            problems.add(place, key + ": is that of '" + owner + "' already (expected: another)");
        }
    }

    /** A day is valid until its end in UTC. */
    private static Instant moment(String text) {
        try {
            return text.indexOf('T') < 0
                    ? LocalDate.parse(text)
                            .plusDays(1)
                            .atStartOfDay(ZoneOffset.UTC)
                            .toInstant()
                    : Instant.parse(text);
        } catch (DateTimeParseException e) {
            throw new IllegalArgumentException(
                    "'" + text + "' (expected: a day such as 2027-06-30, or a time such as 2027-06-30T12:00:00Z)", e);
        }
    }
}
