package io.millrace.codec.translate;

import java.util.Set;

/** Upstreams of Chat Completions. */
final class ChatUpstream implements UpstreamFormat {
    static final ChatUpstream INSTANCE = new ChatUpstream();

    private ChatUpstream() {}

    @Override
    public TranslatedRequest request(ModelRequest request) {
        ModelRequest served = ChatRequestWriter.hostedTools(request).serve(request);
        return TranslatedRequest.of("/v1/chat/completions", new ChatRequestWriter(served).write(), served);
    }

    @Override
    public DeltaReader reader() {
        return reader(Set.of());
    }

    @Override
    public DeltaReader reader(Set<String> tools) {
        return new ChatDeltaReader(tools);
    }
}
