package io.millrace.server.config.file;

import io.millrace.server.config.Credential.Secret;
import java.io.IOException;
import java.nio.charset.MalformedInputException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;

/** Reads keys from the two places where they may be: the environment, or a file that is closed to others. */
final class Secrets {
    /** Kubernetes gives secrets to a group, and so do packages: the file is root's, and the relay is not root. */
    private static final Set<PosixFilePermission> CLOSED = PosixFilePermissions.fromString("rwxr-----");

    private static final int LONGEST = 64 * 1024;

    private final Map<String, String> environment;
    private final Path directory;
    private final Consumer<String> names;

    /**
     * Relative file names are resolved in {@code directory}.
     *
     * @param names is told each variable that is read
     */
    Secrets(Map<String, String> environment, Path directory, Consumer<String> names) {
        this.names = names;
        this.environment = environment;
        this.directory = directory;
    }

    /** The variable's value. */
    Secret fromEnvironment(String name) {
        names.accept(name);
        String value = environment.get(name);
        if (value == null) {
            throw new IllegalArgumentException("env: " + name + " is not set");
        }
        return Secret.of(value, "env: " + name);
    }

    /** The file's text without the line break at its end. */
    Secret fromFile(String name) {
        Path file = directory.resolve(name);
        try {
            Set<PosixFilePermission> mode = Files.getPosixFilePermissions(file);
            if (!CLOSED.containsAll(mode)) {
                throw new IllegalArgumentException("file: " + file + " is " + PosixFilePermissions.toString(mode)
                        + " (expected: 0600, or 0640 for a group; chmod 600 " + file + ")");
            }
            if (Files.size(file) > LONGEST) {
                throw new IllegalArgumentException("file: " + file + " is no key (expected: at most 64KiB)");
            }
            return Secret.of(Files.readString(file).strip(), "file: " + name);
        } catch (IOException e) {
            throw new IllegalArgumentException("file: " + file + " cannot be read: " + reason(e), e);
        } catch (UnsupportedOperationException e) {
            throw new IllegalArgumentException(
                    "file: " + file + " is on a file system without owners (expected: env)", e);
        }
    }

    /** Why a file cannot be read, in words for a user. */
    static String reason(IOException failure) {
        if (failure instanceof NoSuchFileException) {
            return "no such file";
        }
        if (failure instanceof AccessDeniedException) {
            return "permission denied";
        }
        if (failure instanceof MalformedInputException) {
            return "not text in UTF-8";
        }
        String message = failure.getClass() == IOException.class ? failure.getMessage() : null;
        return message == null ? failure.getClass().getSimpleName() : message;
    }
}
