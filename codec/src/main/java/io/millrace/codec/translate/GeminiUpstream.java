package io.millrace.codec.translate;

/** Upstreams of Gemini. */
final class GeminiUpstream implements UpstreamFormat {
    static final GeminiUpstream INSTANCE = new GeminiUpstream();

    private GeminiUpstream() {}

    @Override
    public TranslatedRequest request(ModelRequest request) {
        byte[] body = Json.bytes(new GeminiRequestWriter(request).write());
        return new TranslatedRequest(new GeminiPath(request.model(), request.stream()).write(), body, request.stream());
    }

    @Override
    public DeltaReader reader() {
        return new GeminiDeltaReader();
    }

    @Override
    public ModelError error(int status, byte[] body) {
        return UpstreamErrors.ofBody(status, body);
    }
}
