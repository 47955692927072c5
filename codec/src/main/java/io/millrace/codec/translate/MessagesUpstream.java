package io.millrace.codec.translate;

/** Upstreams of Messages. */
final class MessagesUpstream implements UpstreamFormat {
    static final MessagesUpstream INSTANCE = new MessagesUpstream();

    private MessagesUpstream() {}

    @Override
    public TranslatedRequest request(ModelRequest request) {
        ModelRequest served = MessagesRequestWriter.HOSTED.serve(request);
        return TranslatedRequest.of("/v1/messages", new MessagesRequestWriter(served).write(), served);
    }

    @Override
    public DeltaReader reader() {
        return new MessagesDeltaReader();
    }
}
