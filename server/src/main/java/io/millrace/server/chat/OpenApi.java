package io.millrace.server.chat;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;

/** The OpenAPI 3.1 document of the relay's own endpoints. */
public final class OpenApi {
    private static final byte[] JSON = read();

    private OpenApi() {}

    /** The document. It must not be changed. */
    @SuppressWarnings("MutableReturn")
    public static byte[] json() {
        return JSON;
    }

    private static byte[] read() {
        try (InputStream in = OpenApi.class.getResourceAsStream("openapi.json")) {
            if (in == null) {
                throw new IllegalStateException("openapi.json is not on the class path");
            }
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
