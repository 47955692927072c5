package io.millrace.it.clients;

import java.util.List;

/** {@code @google/genai} on Node. */
final class GenAiNodeTest extends ClientContract {
    @Override
    Sdk sdk() {
        return new NodeSdk("genai.mjs");
    }

    @Override
    List<String> apis() {
        return List.of("gemini");
    }

    @Override
    String classOfStatus(int status) {
        return "ApiError";
    }

    @Override
    String classOfBrokenStream() {
        return "ApiError";
    }
}
