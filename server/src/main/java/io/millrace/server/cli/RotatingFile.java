package io.millrace.server.cli;

import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
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
    private final Opener opener;
    private OutputStream out;
    private long size;
    /** Whether the last write failed, so that its line may be there in part. */
    private boolean torn;

    /** Opens the end of a file, and creates the file if it does not exist. */
    interface Opener {
        OutputStream open(Path file) throws IOException;
    }

    /**
     * Opens the end of a file. Creates the file and its directories if they do not exist.
     *
     * @param limit in bytes; 0 is none
     * @throws IOException if it cannot be opened
     */
    RotatingFile(Path file, long limit, Clock clock) throws IOException {
        this(file, limit, clock, path -> new FileOutputStream(path.toFile(), true));
    }

    /** Opens a file by {@code opener}. */
    RotatingFile(Path file, long limit, Clock clock, Opener opener) throws IOException {
        this.file = file;
        this.limit = limit;
        this.clock = clock;
        this.opener = opener;
        Path directory = file.toAbsolutePath().getParent();
        if (directory != null) {
            Files.createDirectories(directory);
        }
        out = opener.open(file);
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
        if (torn && !endsWithALine()) {
            out.write('\n');
        }
        torn = true;
        out.write(bytes, from, length);
        torn = false;
        size += length;
    }

    /** A full disk may have taken a part of the last line. False if that cannot be known. */
    private boolean endsWithALine() {
        try (var written = FileChannel.open(file, StandardOpenOption.READ)) {
            var last = ByteBuffer.allocate(1);
            return written.size() == 0 || (written.read(last, written.size() - 1) == 1 && last.get(0) == '\n');
        } catch (IOException e) {
            return false;
        }
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
        OutputStream next = opener.open(file);
        out.close();
        out = next;
        torn = false;
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
