/** Real client SDKs and {@code curl} streaming from the mock LLM through the relay, unchanged but for their base URL. */
package io.millrace.it.clients;
