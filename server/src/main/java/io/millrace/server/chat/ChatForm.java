package io.millrace.server.chat;

/** The form in which an answer is written. */
enum ChatForm {
    /** An event stream whose events are the text. */
    SSE("text/event-stream; charset=utf-8"),
    /** An event stream whose events are JSON. */
    JSON("text/event-stream; charset=utf-8"),
    /** Only the text, as it comes. */
    TEXT("text/plain; charset=utf-8"),
    /** One JSON object, written at the end. */
    ANSWER("application/json");

    final String contentType;

    ChatForm(String contentType) {
        this.contentType = contentType;
    }
}
