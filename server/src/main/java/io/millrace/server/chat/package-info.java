/**
 * {@code /chat}: a prompt in, text out, whatever the upstream speaks. A client format of its own over the codec's
 * translation; it knows no connection and no upstream.
 */
package io.millrace.server.chat;
