/**
 * {@code /chat}: takes a prompt and answers with text, for any dialect of the upstream. It is a client dialect of its
 * own on top of the codec's translation. The door is {@link io.millrace.server.chat.ChatSide}, one for each request. It
 * first reads the request, and then gives a new {@link io.millrace.server.format.Interpreter} for each attempt. It
 * knows no connection and no upstream. Buffers remain with the caller, except those that a method returns, which belong
 * to the caller.
 */
@NullMarked
package io.millrace.server.chat;

import org.jspecify.annotations.NullMarked;
