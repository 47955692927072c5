package io.millrace.it.clients;

/**
 * One answer to ask an SDK for.
 *
 * @param name unique within a run
 * @param api which way of the SDK to take, such as {@code chat} or {@code responses.helper}
 * @param baseUrl of the server, without a path
 * @param model also tells the mock LLM how to behave
 * @param tools whether to offer a tool
 */
record Scenario(String name, String api, String baseUrl, String model, boolean tools) {}
