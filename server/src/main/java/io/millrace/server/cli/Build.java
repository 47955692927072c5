package io.millrace.server.cli;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Properties;

/** The build that runs. */
public final class Build {
    private static final Properties PROPERTIES = load();

    private Build() {}

    /** The release, such as {@code 0.1.0}. */
    public static String version() {
        return PROPERTIES.getProperty("version");
    }

    /** The commit, or nothing if the build did not know. */
    static String commit() {
        return PROPERTIES.getProperty("commit").strip();
    }

    /** The names and values that metrics tell about the build. */
    static String[] labels() {
        return new String[] {"version", version(), "revision", commit(), "netty", netty()};
    }

    /** Netty's version. */
    static String netty() {
        return PROPERTIES.getProperty("netty");
    }

    private static Properties load() {
        var properties = new Properties();
        try (InputStream in = Build.class.getResourceAsStream("version.properties")) {
            properties.load(in);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return properties;
    }
}
