package io.millrace.server.cli;

import io.millrace.server.Transport;
import io.netty.handler.ssl.OpenSsl;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Properties;
import picocli.CommandLine.IVersionProvider;

/** What runs here: the build, Netty, the JDK, the transport, the TLS library. */
final class Version implements IVersionProvider {
    private static final Properties BUILD = load();

    /** The release, such as {@code 0.1.0}. */
    static String number() {
        return BUILD.getProperty("version");
    }

    @Override
    public String[] getVersion() {
        String commit = BUILD.getProperty("commit").strip();
        return new String[] {
            "millrace " + number() + (commit.isEmpty() ? "" : " (" + commit + ")"),
            "netty " + BUILD.getProperty("netty"),
            "java " + Runtime.version() + " (" + System.getProperty("java.vendor") + ")",
            "transport " + Transport.best().label(),
            "tls " + (OpenSsl.isAvailable() ? OpenSsl.versionString() : "of the JDK")
        };
    }

    private static Properties load() {
        var properties = new Properties();
        try (InputStream in = Version.class.getResourceAsStream("version.properties")) {
            properties.load(in);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return properties;
    }
}
