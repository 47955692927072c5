/**
 * {@code /chat}: a prompt in, text out, whatever dialect the upstream uses. It is a client dialect of its own over the codec's
 * translation. The door is {@link io.millrace.server.chat.ChatSide}. It knows no connection and no upstream.
 */
@NullMarked
package io.millrace.server.chat;

import org.jspecify.annotations.NullMarked;
