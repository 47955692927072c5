package io.millrace.bench.stream;

/** The head of a response. */
public interface Response {
    /** The status code; 0 before the head is complete. */
    int status();

    /** The value of a field, empty if there is none. The name and the value are in lower case. */
    String field(String name);
}
