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
 * What files look like from outside at one moment. Two that are equal say that no file has changed between them, nor a link
 * on the way to one, which is how Kubernetes changes files.
 */
final class FileStamps {
    private final Map<Path, Stamp> stamps;

    /** A file behind all links; without attributes if there is none. */
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

    /** These files as they are now. To be taken before they are read, so that a change in between is not missed. */
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
