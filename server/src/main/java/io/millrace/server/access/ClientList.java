package io.millrace.server.access;

import static java.util.Objects.requireNonNull;

import io.millrace.server.config.ClientSettings;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.file.ClientsLoader;
import io.millrace.server.config.file.ConfigException;
import io.millrace.server.limit.ClientUses;
import io.millrace.server.limit.SharedLimits;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The clients of the file that the configuration names. A thread of its own reads the file again soon after each
 * change. A wrong file changes nothing. Event loops read the list without a lock.
 */
public final class ClientList implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ClientList.class);
    private static final long LOOK_EVERY_MS = 200;
    /** Within this time a file may change twice with the same modification time. */
    private static final long FRESH_MS = 1_000;

    private final ClientUses uses;
    private final Consumer<Boolean> read;
    private volatile Clients clients = Clients.NONE;
    private @Nullable RelayConfig followed;
    private @Nullable Path file;
    private @Nullable Stamp taken;
    private @Nullable Stamp seen;
    private List<ClientSettings> settings = List.of();
    /** The problem of the file that was reported. */
    private List<String> problems = List.of();

    private @Nullable Thread thread;

    /** The attributes by which a change of a file is noticed. */
    private record Stamp(
            long modifiedNs, long size, @Nullable Object id, boolean fresh) {
        static @Nullable Stamp of(Path file) {
            try {
                var its = Files.readAttributes(file, BasicFileAttributes.class);
                long modifiedNs = its.lastModifiedTime().to(TimeUnit.NANOSECONDS);
                boolean fresh =
                        System.currentTimeMillis() - its.lastModifiedTime().toMillis() < FRESH_MS;
                return new Stamp(modifiedNs, its.size(), its.fileKey(), fresh);
            } catch (IOException e) {
                return null;
            }
        }
    }

    /**
     * No clients, until {@link #follow} names a file.
     *
     * @param mostStreams how many requests the process may have in progress
     * @param shared shares the clients' limits with other nodes; null if they are this process's own
     * @param read learns of each time that the file was read after a change, whether it was taken
     */
    public ClientList(LongSupplier mostStreams, @Nullable SharedLimits shared, Consumer<Boolean> read) {
        uses = new ClientUses(mostStreams, shared);
        this.read = read;
    }

    /** The access rules for {@code config}. */
    public Access access(RelayConfig config) {
        return new Access(config, clients);
    }

    /** Whether the key of {@code caller} has been removed since its request began. */
    public boolean isRemoved(Caller caller) {
        return !caller.isHeld(clients);
    }

    /**
     * Uses the clients of the file that {@code config} names, and watches it from now on.
     *
     * @throws ConfigException if it is wrong; the clients of before stay
     */
    public synchronized void follow(RelayConfig config) {
        Path next = config.clients().file();
        Stamp stamp = next == null ? null : Stamp.of(next);
        take(next == null ? List.of() : ClientsLoader.load(next));
        followed = config;
        warn(config);
        file = next;
        taken = stamp;
        seen = stamp;
        if (next != null && thread == null) {
            thread = new Thread(this::watch, "millrace-clients");
            thread.setDaemon(true);
            thread.start();
        }
        notifyAll();
    }

    @Override
    public synchronized void close() {
        file = null;
        thread = null;
        notifyAll();
    }

    private synchronized void watch() {
        try {
            while (thread == Thread.currentThread()) {
                look();
                wait(file == null ? 0 : LOOK_EVERY_MS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /**
     * Reads the file if it has changed since the last read, but not since the last look, because another process may
     * still be writing it.
     */
    private void look() {
        if (file == null) {
            return;
        }
        Stamp before = seen;
        Stamp now = Stamp.of(file);
        seen = now;
        if (now == null) {
            if (before != null) {
                LOG.error("{} does not exist any more: the old clients stay", file);
            }
        } else if (now.equals(before) && !now.equals(taken)) {
            taken = now;
            reread(file);
        }
    }

    private void reread(Path changed) {
        try {
            List<ClientSettings> next = ClientsLoader.load(changed);
            if (!next.equals(settings)) {
                take(next);
                LOG.info("clients read again: {}", next.size());
                warn(requireNonNull(followed));
                read.accept(true);
            }
            problems = List.of();
        } catch (ConfigException e) {
            if (!e.problems().equals(problems)) {
                problems = e.problems();
                problems.forEach(problem -> LOG.error("{}", problem));
                LOG.error("clients not reloaded: the old ones stay");
                read.accept(false);
            }
        } catch (RuntimeException e) {
            LOG.error("clients not reloaded: the old ones stay", e);
            read.accept(false);
        }
    }

    private void warn(RelayConfig config) {
        ClientsLoader.warnings(config, settings).forEach(warning -> LOG.warn("{}", warning));
    }

    private void take(List<ClientSettings> next) {
        clients = new Clients(next, client -> uses.of(client.name(), client.limits()));
        settings = next;
        uses.keep(next.stream().map(ClientSettings::name).collect(Collectors.toSet()));
    }
}
