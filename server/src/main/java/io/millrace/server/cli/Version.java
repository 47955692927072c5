package io.millrace.server.cli;

import io.millrace.server.transport.Transport;
import io.netty.handler.ssl.OpenSsl;
import picocli.CommandLine.IVersionProvider;

/** Prints the versions that run: the build, Netty, the JDK, the transport, the TLS library. */
final class Version implements IVersionProvider {
    @Override
    public String[] getVersion() {
        String commit = Build.commit();
        return new String[] {
            "millrace " + Build.version() + (commit.isEmpty() ? "" : " (" + commit + ")"),
            "netty " + Build.netty(),
            "java " + Runtime.version() + " (" + System.getProperty("java.vendor") + ")",
            "transport " + Transport.best().label(),
            "tls " + (OpenSsl.isAvailable() ? OpenSsl.versionString() : "of the JDK")
        };
    }
}
