package io.millrace.server.listen;

import java.io.IOException;
import java.net.ConnectException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The file of a unix socket. The socket is bound under another name in the same directory, gets its mode, and is then
 * renamed. So no client connects before that, and a file that a dead process has left is replaced in one step.
 */
final class SocketFile {
    private static final Logger LOG = LoggerFactory.getLogger(SocketFile.class);
    private static final int TYPE = 0170000;
    private static final int SOCKET = 0140000;
    private static final int RANDOM = 36 * 36 * 36 * 36 * 36;

    private final Path path;
    private final Path beside;
    /** Distinguishes this file from another one of the same name; null before the file exists. */
    private @Nullable Object key;

    private SocketFile(Path path) {
        this.path = path;
        String random = Integer.toString(ThreadLocalRandom.current().nextInt(RANDOM), 36);
        beside = path.resolveSibling(".m" + random);
    }

    /**
     * The file at {@code path}, which does not exist yet.
     *
     * @throws IOException if something else is there: no socket, or one at which somebody listens
     */
    static SocketFile at(Path path) throws IOException {
        if (Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
            int mode = (Integer) Files.getAttribute(path, "unix:mode", LinkOption.NOFOLLOW_LINKS);
            if ((mode & TYPE) != SOCKET) {
                throw new IOException("there is a file that is no socket");
            }
            if (isListenedAt(path)) {
                throw new IOException("somebody listens there (is another relay running?)");
            }
        }
        return new SocketFile(path);
    }

    /** The file of a socket that another process has bound and handed over. */
    static SocketFile existing(Path path) throws IOException {
        var file = new SocketFile(path);
        file.key = keyOf(path);
        return file;
    }

    /** The name under which the socket is bound first. */
    Path beside() {
        return beside;
    }

    /** Gives the bound socket its mode and its final name. */
    synchronized void publish(int mode) throws IOException {
        try {
            Files.setAttribute(beside, "unix:mode", mode);
            Files.move(beside, path, StandardCopyOption.ATOMIC_MOVE);
            key = keyOf(path);
        } finally {
            Files.deleteIfExists(beside);
        }
    }

    /** Removes the file, unless another process has put its own file there. After that no client connects any more. */
    synchronized void remove() {
        try {
            if (key != null && key.equals(keyOf(path))) {
                Files.delete(path);
            }
            key = null; // the next file there may have the same key
        } catch (IOException e) {
            LOG.debug("{} cannot be removed: {}", path, e.toString());
        }
    }

    private static @Nullable Object keyOf(Path path) throws IOException {
        return Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS)
                .fileKey();
    }

    /** Whether a connection attempt is not refused. A socket whose queue is full also has a listener. */
    static boolean isListenedAt(Path path) {
        var address = UnixDomainSocketAddress.of(path);
        try (var probe = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            probe.configureBlocking(false);
            probe.connect(address);
            return true;
        } catch (ConnectException e) {
            return false;
        } catch (IOException e) {
            return true;
        }
    }
}
