/**
 * Real client SDKs and {@code curl} that stream from the mock LLM through the relay; only their base URL is changed.
 *
 * <p>The door for tests is {@code ClientContract}: what every client has to see of each {@code Scenario}. {@code Bed} is the mock
 * and the relay. An {@code Sdk} runs scenarios in its own language, a process of its own where that is not Java, and reports for
 * each what its user has seen ({@code Seen}).
 */
package io.millrace.it.clients;
