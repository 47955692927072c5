package io.millrace.server.cli;

import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Appends to a file. Before a write that would make it longer than a limit, the file gets the time as a suffix of its
 * name, and a new one begins. No file is removed. Each write is passed to the kernel at once. Used by one thread.
 */
final class RotatingFile extends OutputStream {
    private static final Logger LOG = LoggerFactory.getLogger(RotatingFile.class);
    private static final DateTimeFormatter SUFFIX =
            DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmss.SSS'Z'").withZone(ZoneOffset.UTC);

    private final Path file;
    private final long limit;
    private final Clock clock;
    private OutputStream out;
    private long size;

    /**
     * Opens the end of a file. Creates the file and its directories if they do not exist.
     *
     * @param limit in bytes; 0 is none
     * @throws IOException if it cannot be opened
     */
    RotatingFile(Path file, long limit, Clock clock) throws IOException {
        this.file = file;
        this.limit = limit;
        this.clock = clock;
        Path directory = file.toAbsolutePath().getParent();
        if (directory != null) {
            Files.createDirectories(directory);
        }
        out = new FileOutputStream(file.toFile(), true);
        size = Files.size(file);
    }

    @Override
    public void write(int one) throws IOException {
        write(new byte[] {(byte) one}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int from, int length) throws IOException {
        if (limit > 0 && size > 0 && size + length > limit) {
            rotate();
        }
        out.write(bytes, from, length);
        size += length;
    }

    @Override
    public void close() throws IOException {
        out.close();
    }

    /** If the file cannot be renamed, it goes on, and grows by as much again before the next try. */
    private void rotate() throws IOException {
        try {
            rename();
        } catch (NoSuchFileException e) {
            LOG.debug("{} was moved by another program", file);
        } catch (IOException e) {
            LOG.error("{} cannot be renamed, and grows on: {}", file, e.toString());
            size = 0;
            return;
        }
        var next = new FileOutputStream(file.toFile(), true);
        out.close();
        out = next;
        size = Files.size(file);
    }

    private void rename() throws IOException {
        String name = file.getFileName() + "." + SUFFIX.format(clock.instant());
        for (int i = 0; ; i++) {
            try {
                Files.move(file, file.resolveSibling(i == 0 ? name : name + '-' + i));
                return;
            } catch (FileAlreadyExistsException e) {
                LOG.debug("{} exists", e.getFile());
            }
        }
    }
}
