package io.millrace.server.tls;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The attributes of files at one moment. If two are equal, no file has changed in between, and no link on the way to a
 * file. Kubernetes changes files by changing such a link.
 */
final class FileStamps {
    private final Map<Path, Stamp> stamps;

    /** A file after all links are followed; without attributes if it does not exist. */
    private record Stamp(
            @Nullable Path real,
            long size,
            @Nullable FileTime modified,
            @Nullable Object inode) {
        static final Stamp NONE = new Stamp(null, 0, null, null);
    }

    private FileStamps(Map<Path, Stamp> stamps) {
        this.stamps = stamps;
    }

    /** The stamps of these files now. To be taken before the files are read, so that no change in between is missed. */
    static FileStamps of(Collection<Path> files) {
        var stamps = new LinkedHashMap<Path, Stamp>();
        files.forEach(file -> stamps.put(file, stamp(file)));
        return new FileStamps(stamps);
    }

    private static Stamp stamp(Path file) {
        try {
            Path real = file.toRealPath();
            var attributes = Files.readAttributes(real, BasicFileAttributes.class);
            return new Stamp(real, attributes.size(), attributes.lastModifiedTime(), attributes.fileKey());
        } catch (IOException e) {
            return Stamp.NONE;
        }
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof FileStamps that && stamps.equals(that.stamps);
    }

    @Override
    public int hashCode() {
        return stamps.hashCode();
    }
}
