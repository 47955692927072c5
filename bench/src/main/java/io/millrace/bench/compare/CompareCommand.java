package io.millrace.bench.compare;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/**
 * Compares Millrace with other proxies. {@code scripts/compare} calls it, because it needs configurations from the
 * repository. Linux only.
 */
@Command(
        name = "compare",
        hidden = true,
        description = "Measures Millrace beside other proxies, on loopback. Use scripts/compare.",
        mixinStandardHelpOptions = true)
@SuppressWarnings("NullAway.Init") // picocli sets the options
public final class CompareCommand implements Callable<Integer> {
    private static final int MAX_ROUNDS = 20;

    @Spec
    private CommandSpec spec;

    @Option(names = "--quick", description = "A minute, few streams, Millrace and nginx: to see that it works.")
    private boolean quick;

    @Option(names = "--rounds", paramLabel = "N", defaultValue = "1", description = "Default ${DEFAULT-VALUE}.")
    private int rounds;

    @Option(
            names = "--peers",
            split = ",",
            paramLabel = "NAME",
            description = "nginx, haproxy, caddy, fastapi, millrace, unguarded, before. Default all but the last two.")
    private @Nullable List<String> peers;

    @Option(
            names = "--scenarios",
            split = ",",
            paramLabel = "NAME",
            description = "delay, cpu, saturated, short, hold, hold-many, scale. Default all.")
    private @Nullable List<String> names;

    @Option(names = "--edge", description = "TLS and HTTP/2, by h2load: scenarios tls, beside, handshakes, idle.")
    private boolean edge;

    @Option(names = "--before", paramLabel = "DIR", description = "The distribution that the peer 'before' runs.")
    private @Nullable Path before;

    @Option(names = "--certificate", paramLabel = "FILE", description = "For --edge; its key is FILE.key.")
    private @Nullable Path certificate;

    @Option(names = "--out", paramLabel = "DIR", required = true, description = "The directory for results.")
    private Path out;

    @Option(
            names = "--configs",
            paramLabel = "DIR",
            required = true,
            description = "The directory of the peers' configurations.")
    private Path configs;

    @Option(names = "--launcher", paramLabel = "FILE", required = true, description = "The millrace to be measured.")
    private Path launcher;

    @Option(names = "--commit", paramLabel = "ID", defaultValue = "unknown", description = "The commit of the sources.")
    private String commit;

    /** Measures, prints the table and writes the files. Returns 1 if a quick run lost a stream or got no figure. */
    @Override
    public Integer call() throws IOException, InterruptedException {
        if (!Files.isReadable(Path.of("/proc/self/stat"))) {
            throw new IOException("compare: this machine has no /proc (expected: Linux)");
        }
        if (rounds < 1 || rounds > MAX_ROUNDS) {
            throw wrong("--rounds: " + rounds + " (expected: 1-" + MAX_ROUNDS + ")");
        }
        var scenarios = quick ? Scenarios.quick() : Scenarios.full(Proc.descriptorLimit());
        var chosen = chosenPeers();
        var loads = chosenScenarios(edge ? EdgeScenarios.NAMES : Scenarios.NAMES);
        var earlier = before == null ? null : before.toAbsolutePath().resolve("bin/millrace");
        var starter = new Launcher(launcher.toAbsolutePath(), configs, !quick, earlier, edge ? certificate : null);
        var machine = Machine.here(commit, starter.versions(chosen));
        var progress = spec.commandLine().getErr();
        var measurements = edge
                ? new EdgeComparison(
                                starter,
                                configs,
                                quick ? EdgeScenarios.quick() : EdgeScenarios.full(),
                                loads,
                                chosen,
                                rounds,
                                progress)
                        .run()
                : new Comparison(starter, scenarios, loads, chosen, rounds, progress).run();
        var results = new Results(quick, machine, scenarios, measurements);
        String table = Table.markdown(results);
        write(results, table);
        var print = spec.commandLine().getOut();
        print.println(table);
        print.println("written: " + out);
        print.flush();
        return quick && !works(results) ? 1 : 0;
    }

    private void write(Results results, String table) throws IOException {
        Files.createDirectories(out);
        var json = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);
        json.writeValue(out.resolve("raw.json").toFile(), new Raw(results.machine(), results.measurements()));
        Files.writeString(out.resolve("table.md"), table);
        if (edge) {
            return;
        }
        Files.writeString(out.resolve("compare.svg"), Charts.compare(results));
        Files.writeString(out.resolve("scale.svg"), Charts.scale(results));
    }

    /** The content of {@code raw.json}. */
    private record Raw(Machine machine, List<Measurement> measurements) {}

    /** Whether a quick run has worked: all streams came whole. It is too short for figures. */
    private static boolean works(Results results) {
        return !results.measurements().isEmpty()
                && results.measurements().stream()
                        .allMatch(measured -> measured.lost() == 0
                                && measured.shortestBody() == measured.longestBody()
                                && (measured.frames() + measured.streamsEnded() > 0
                                        || measured.held() == measured.streams()));
    }

    private List<Peer> chosenPeers() {
        var wanted = peers == null ? defaultPeers() : peers;
        try {
            var chosen = EnumSet.noneOf(Peer.class);
            wanted.forEach(name -> chosen.add(Peer.named(name)));
            if (chosen.contains(Peer.BEFORE) && before == null) {
                throw wrong("--peers: before needs --before DIR");
            }
            chosen.remove(Peer.DIRECT);
            return new ArrayList<>(chosen);
        } catch (IllegalArgumentException e) {
            throw wrong("--peers: " + e.getMessage());
        }
    }

    private List<String> defaultPeers() {
        var all = Arrays.stream(Peer.values()).filter(peer -> peer != Peer.UNGUARDED);
        if (edge) {
            all = Stream.of(Peer.NGINX, Peer.HAPROXY, Peer.MILLRACE, Peer.BEFORE);
        } else if (quick) {
            all = Stream.of(Peer.NGINX, Peer.MILLRACE);
        }
        return all.filter(peer -> peer != Peer.BEFORE || before != null)
                .map(Peer::key)
                .toList();
    }

    private Set<String> chosenScenarios(List<String> known) {
        if (names == null) {
            return Set.copyOf(known);
        }
        for (String name : names) {
            if (!known.contains(name)) {
                throw wrong("--scenarios: " + name + " (expected: " + String.join(", ", known) + ")");
            }
        }
        return new LinkedHashSet<>(names);
    }

    private ParameterException wrong(String message) {
        return new ParameterException(spec.commandLine(), message);
    }
}
