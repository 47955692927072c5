/**
 * Real client SDKs and {@code curl} that stream from the mock LLM through the relay; only their base URL is changed.
 *
 * <p>The door for tests is {@code ClientContract}, which says what every client must see in each {@code Scenario}.
 * {@code Bed} is the mock and the relays. An {@code Sdk} runs scenarios in its own language, in a process of its own
 * if that is not Java. For each it reports what its user has seen ({@code Seen}).
 */
package io.millrace.it.clients;
