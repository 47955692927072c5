package io.millrace.server.config;

/**
 * Which paths the relay answers itself. A path that is switched off is relayed like any other.
 *
 * @param healthz {@code /healthz}
 * @param readyz {@code /readyz}
 * @param metrics {@code /metrics}
 * @param streams {@code DELETE /millrace/streams/{id}}, and the header that tells a stream's id
 * @param chat {@code /chat}
 * @param openapi {@code /openapi.json}
 * @param page {@code GET /}, the playground, and what it loads
 */
public record OwnPaths(
        boolean healthz, boolean readyz, boolean metrics, boolean streams, boolean chat, boolean openapi, boolean page)
        implements Settings<OwnPaths, OwnPaths.Builder> {
    /** All of them. */
    public static final OwnPaths ALL = Builders.build(OwnPaths.class, new Builder());

    /** The components by name; the values of a new one are the defaults. */
    public static final class Builder {
        public boolean healthz = true;
        public boolean readyz = true;
        public boolean metrics = true;
        public boolean streams = true;
        public boolean chat = true;
        public boolean openapi = true;
        public boolean page = true;
    }
}
