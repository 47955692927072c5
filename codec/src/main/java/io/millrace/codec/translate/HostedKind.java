package io.millrace.codec.translate;

/** The kinds of tools that providers run. A kind that several providers have is one constant. */
public enum HostedKind {
    /** A search of the web. */
    WEB_SEARCH("web_search"),
    /** Reading a page of the web. */
    WEB_FETCH("web_fetch"),
    /** Running code. */
    CODE("code_execution"),
    /** A tool that only one provider has. */
    OTHER("");

    private final String toolName;

    HostedKind(String toolName) {
        this.toolName = toolName;
    }

    /** The name of this kind in a {@link ToolChoice}. */
    String toolName() {
        return toolName;
    }
}
