package io.millrace.server.tls;

import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * A certificate of the relay's own, for clients.
 *
 * @param label its file
 * @param chain its own first
 * @param key its private key
 */
record ServerCertificate(String label, List<X509Certificate> chain, PrivateKey key) {
    private static final Integer DNS_NAME = 2;

    ServerCertificate {
        chain = List.copyOf(chain);
    }

    /** The host names for which it is valid, in lower case; a wildcard with its {@code *.}. */
    List<String> names() {
        var names = new ArrayList<String>();
        for (List<?> name : ClientCertificates.alternativeNames(chain.get(0))) {
            if (DNS_NAME.equals(name.get(0)) && name.get(1) instanceof String host) {
                names.add(host.toLowerCase(Locale.ROOT));
            }
        }
        return names;
    }

    /** When it expires. */
    Instant end() {
        return chain.get(0).getNotAfter().toInstant();
    }

    /** The text without the key. */
    @Override
    public String toString() {
        return label + " " + names();
    }
}
