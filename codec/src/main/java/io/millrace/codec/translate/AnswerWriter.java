package io.millrace.codec.translate;

/** Collects an answer and writes it as one body. One per answer. */
public interface AnswerWriter extends DeltaSink {
    /** The body. It is available after {@link #end}. */
    byte[] body();
}
