package io.millrace.server.config;

/**
 * Which paths the relay answers itself; one that is switched off is relayed like any other.
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
        boolean healthz,
        boolean readyz,
        boolean metrics,
        boolean streams,
        boolean chat,
        boolean openapi,
        boolean page) {
    /** All of them. */
    public static final OwnPaths ALL = new OwnPaths(true, true, true, true, true, true, true);

    /** This with another {@code healthz}. */
    public OwnPaths withHealthz(boolean healthz) {
        return new OwnPaths(healthz, readyz, metrics, streams, chat, openapi, page);
    }

    /** This with another {@code readyz}. */
    public OwnPaths withReadyz(boolean readyz) {
        return new OwnPaths(healthz, readyz, metrics, streams, chat, openapi, page);
    }

    /** This with another {@code metrics}. */
    public OwnPaths withMetrics(boolean metrics) {
        return new OwnPaths(healthz, readyz, metrics, streams, chat, openapi, page);
    }

    /** This with another {@code streams}. */
    public OwnPaths withStreams(boolean streams) {
        return new OwnPaths(healthz, readyz, metrics, streams, chat, openapi, page);
    }

    /** This with another {@code chat}. */
    public OwnPaths withChat(boolean chat) {
        return new OwnPaths(healthz, readyz, metrics, streams, chat, openapi, page);
    }

    /** This with another {@code openapi}. */
    public OwnPaths withOpenapi(boolean openapi) {
        return new OwnPaths(healthz, readyz, metrics, streams, chat, openapi, page);
    }

    /** This with another {@code page}. */
    public OwnPaths withPage(boolean page) {
        return new OwnPaths(healthz, readyz, metrics, streams, chat, openapi, page);
    }
}
