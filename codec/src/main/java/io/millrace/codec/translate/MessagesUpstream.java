package io.millrace.codec.translate;

/** Upstreams of Messages. */
final class MessagesUpstream implements UpstreamFormat {
    static final MessagesUpstream INSTANCE = new MessagesUpstream();

    private MessagesUpstream() {}

    @Override
    public TranslatedRequest request(ModelRequest request) {
        byte[] body = Json.bytes(new MessagesRequestWriter(request).write());
        return new TranslatedRequest("/v1/messages", body, request.stream());
    }

    @Override
    public DeltaReader reader() {
        return new MessagesDeltaReader();
    }

    @Override
    public ModelError error(int status, byte[] body) {
        return UpstreamErrors.ofBody(status, body);
    }
}
