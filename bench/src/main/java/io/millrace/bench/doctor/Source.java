package io.millrace.bench.doctor;

/** The origin of the tokens of the paced stream, as far as the stream shows it. */
enum Source {
    /** The stream had nothing that shows it. */
    UNKNOWN("no stream came"),
    /** The tokens have the stamps of a Millrace mock. */
    MOCK("a Millrace mock: each token has the time at which it was made"),
    /** The mock was asked for, and something else answered. */
    NO_MOCK("no Millrace mock, so only the pattern of arrival is judged (--model NAME asks a real model)"),
    /** A model was asked for. */
    MODEL("a model, so only the pattern of arrival is judged");

    private final String text;

    Source(String text) {
        this.text = text;
    }

    /** For people. */
    String text() {
        return text;
    }
}
