package io.millrace.codec.translate;

/** Upstreams of Responses. */
final class ResponsesUpstream implements UpstreamFormat {
    static final ResponsesUpstream INSTANCE = new ResponsesUpstream();

    private ResponsesUpstream() {}

    @Override
    public TranslatedRequest request(ModelRequest request) {
        ModelRequest served = ResponsesHosted.SERVED.serve(request);
        return TranslatedRequest.of("/v1/responses", new ResponsesRequestWriter(served).write(), served);
    }

    @Override
    public DeltaReader reader() {
        return new ResponsesDeltaReader();
    }
}
