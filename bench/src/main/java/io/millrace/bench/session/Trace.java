package io.millrace.bench.session;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.MappingIterator;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.bench.stream.Session;
import io.millrace.bench.stream.Sessions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The sessions of a recorded trace. Two forms are read: Mooncake, one JSON object a line and a request, and that of
 * AgentX (Weka's KV-Cache-Tester), one JSON object a session. They may be in one file, or be the files of a directory.
 */
public final class Trace implements Sessions {
    private static final double NS_PER_S = 1e9;
    private static final ObjectMapper JSON = new ObjectMapper();

    private final List<Recorded> sessions;
    private final boolean scheduled;

    /**
     * A session, and when it began.
     *
     * @param startNs from the beginning of the trace
     */
    record Recorded(long startNs, Session session) {}

    private Trace(List<Recorded> sessions, boolean scheduled) {
        this.sessions = sessions;
        this.scheduled = scheduled;
    }

    /**
     * Reads a trace.
     *
     * @param scheduled whether sessions begin at their times in the trace
     * @throws IllegalArgumentException with the file, the line and what is wrong
     */
    public static Trace read(Path path, boolean scheduled) throws IOException {
        var mooncake = new MooncakeTrace();
        var all = new ArrayList<Recorded>();
        for (Path file : files(path)) {
            read(file, mooncake, all);
        }
        all.addAll(mooncake.sessions());
        if (all.isEmpty()) {
            throw new IllegalArgumentException(
                    path + ": no session (expected: Mooncake's JSON lines, or AgentX's JSON)");
        }
        all.sort(Comparator.comparingLong(Recorded::startNs));
        return new Trace(List.copyOf(all), scheduled);
    }

    private static List<Path> files(Path path) throws IOException {
        if (!Files.isDirectory(path)) {
            return List.of(path);
        }
        try (Stream<Path> files = Files.list(path)) {
            return files.filter(file -> file.toString().matches(".*\\.jsonl?"))
                    .sorted()
                    .toList();
        }
    }

    private static void read(Path file, MooncakeTrace mooncake, List<Recorded> all) throws IOException {
        try (MappingIterator<JsonNode> values = JSON.readerFor(JsonNode.class).readValues(file.toFile())) {
            while (values.hasNextValue()) {
                JsonNode value = values.nextValue();
                int line = values.getParser().currentLocation().getLineNr();
                try {
                    if (value.has("requests")) {
                        AgentXTrace.read(value, all);
                    } else {
                        mooncake.add(value);
                    }
                } catch (IllegalArgumentException e) {
                    throw new IllegalArgumentException(file + ":" + line + ": " + e.getMessage(), e);
                }
            }
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException(
                    file + ":" + e.getLocation().getLineNr() + ": is no JSON: " + e.getOriginalMessage(), e);
        }
    }

    @Override
    public Session of(long index) {
        return sessions.get((int) (index % sessions.size())).session();
    }

    @Override
    public long @Nullable [] startsNs() {
        long first = sessions.get(0).startNs();
        return scheduled
                ? sessions.stream()
                        .mapToLong(session -> session.startNs() - first)
                        .toArray()
                : null;
    }

    /** How many sessions there are. */
    public int size() {
        return sessions.size();
    }

    /** How many turns they have together. */
    public int turns() {
        return sessions.stream()
                .mapToInt(session -> session.session().turns().size())
                .sum();
    }

    /** Sessions a second, on average over the trace; 1 if all begin at once. */
    public double rate() {
        double seconds =
                (sessions.get(sessions.size() - 1).startNs() - sessions.get(0).startNs()) / NS_PER_S;
        return seconds == 0 ? 1 : Math.min(1e6, sessions.size() / seconds);
    }
}
