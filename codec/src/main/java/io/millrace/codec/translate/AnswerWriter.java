package io.millrace.codec.translate;

/** Collects an answer and writes it as one body. One per answer. */
public interface AnswerWriter extends DeltaSink {
    /** The body, once {@link #end} was called. */
    byte[] body();
}
