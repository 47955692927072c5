package io.millrace.it.clients;

import java.util.List;

/** The Vercel AI SDK on Node, with its providers for OpenAI, Anthropic and Google. */
final class VercelNodeTest extends ClientContract {
    @Override
    Sdk sdk() {
        return new NodeSdk("vercel.mjs");
    }

    @Override
    List<String> apis() {
        return List.of("chat", "responses", "messages", "gemini");
    }

    @Override
    String finishOfStopped(String api) {
        return api.equals("chat") || api.equals("messages") ? "stop" : "other";
    }

    @Override
    String classOfStatus(int status) {
        return "AI_APICallError";
    }

    @Override
    String classOfBrokenStream() {
        return "AI_StreamProviderError";
    }
}
