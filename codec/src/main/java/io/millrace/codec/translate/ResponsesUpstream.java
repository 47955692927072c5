package io.millrace.codec.translate;

/** Upstreams of Responses. */
final class ResponsesUpstream implements UpstreamFormat {
    static final ResponsesUpstream INSTANCE = new ResponsesUpstream();

    private ResponsesUpstream() {}

    @Override
    public TranslatedRequest request(ModelRequest request) {
        byte[] body = Json.bytes(new ResponsesRequestWriter(request).write());
        return new TranslatedRequest("/v1/responses", body, request.stream());
    }

    @Override
    public DeltaReader reader() {
        return new ResponsesDeltaReader();
    }

    @Override
    public ModelError error(int status, byte[] body) {
        return UpstreamErrors.ofBody(status, body);
    }
}
