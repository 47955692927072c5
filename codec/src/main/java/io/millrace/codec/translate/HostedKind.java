package io.millrace.codec.translate;

/** The kinds of tools that providers run. Those that more than one provider has are told apart. */
public enum HostedKind {
    /** A search of the web. */
    WEB_SEARCH("web_search"),
    /** Reading a page of the web. */
    WEB_FETCH("web_fetch"),
    /** Running code. */
    CODE("code_execution"),
    /** Any other, which nobody else has. */
    OTHER("");

    private final String toolName;

    HostedKind(String toolName) {
        this.toolName = toolName;
    }

    /** How a {@link ToolChoice} names it. */
    String toolName() {
        return toolName;
    }
}
