package io.millrace.server.share;

/**
 * The names of the keys in the store.
 *
 * @param prefix of all of them
 */
record StoreKeys(String prefix) {
    /** The id behind which a stream takes nothing more. */
    static final String END = "18446744073709551615-18446744073709551615";

    /** What is known of a stream beside its bytes. */
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

    /** The stream of a request's name. */
    String once(String scope) {
        return prefix + "k:" + scope;
    }

    /** The stream of an answer's name. */
    String answer(String name) {
        return prefix + "r:" + name;
    }

    /** The channel on which a node is told things. */
    String inbox(String node) {
        return prefix + "i:" + node;
    }
}
