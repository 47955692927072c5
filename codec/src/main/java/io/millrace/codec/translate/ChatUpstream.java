package io.millrace.codec.translate;

/** Upstreams of Chat Completions. */
final class ChatUpstream implements UpstreamFormat {
    static final ChatUpstream INSTANCE = new ChatUpstream();

    private ChatUpstream() {}

    @Override
    public TranslatedRequest request(ModelRequest request) {
        byte[] body = Json.bytes(new ChatRequestWriter(request).write());
        return new TranslatedRequest("/v1/chat/completions", body, request.stream());
    }

    @Override
    public DeltaReader reader() {
        return new ChatDeltaReader();
    }

    @Override
    public ModelError error(int status, byte[] body) {
        return UpstreamErrors.ofBody(status, body);
    }
}
