package io.millrace.codec.translate;

/** Upstreams of Gemini. */
final class GeminiUpstream implements UpstreamFormat {
    static final GeminiUpstream INSTANCE = new GeminiUpstream();

    private GeminiUpstream() {}

    @Override
    public TranslatedRequest request(ModelRequest request) {
        ModelRequest served = GeminiRequestWriter.hostedTools(request).serve(request);
        String path = new GeminiPath(served.model(), served.stream()).write();
        return TranslatedRequest.of(path, new GeminiRequestWriter(served).write(), served);
    }

    @Override
    public DeltaReader reader() {
        return new GeminiDeltaReader();
    }
}
