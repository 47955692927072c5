package io.millrace.server.share;

/**
 * The names of the keys in the store.
 *
 * @param prefix the beginning of all names
 */
record StoreKeys(String prefix) {
    /** The highest possible id of an entry. After it, a stream accepts no entry. */
    static final String END = "18446744073709551615-18446744073709551615";

    /** What is known about a stream, without its bytes. */
    String head(String stream) {
        return prefix + "m:" + stream;
    }

    /** The bytes of a stream. */
    String bytes(String stream) {
        return prefix + "s:" + stream;
    }

    /** The lease of a node. */
    String node(String node) {
        return prefix + "n:" + node;
    }

    /** The stream that has the name of a request. */
    String once(String scope) {
        return prefix + "k:" + scope;
    }

    /** The stream that has the name of an answer. */
    String answer(String name) {
        return prefix + "r:" + name;
    }

    /** The channel for messages to a node. */
    String inbox(String node) {
        return prefix + "i:" + node;
    }
}
