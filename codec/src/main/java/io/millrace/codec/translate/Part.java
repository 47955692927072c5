package io.millrace.codec.translate;

import static java.util.Objects.requireNonNull;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** A part of a {@link Turn}. */
public sealed interface Part {
    /** Text of the user or the model. */
    record Text(String text) implements Part {
        /** Adds text to a list of parts, unless it is empty. */
        static void add(List<Part> parts, String text) {
            if (!text.isEmpty()) {
                parts.add(new Text(text));
            }
        }
    }

    /** Instructions in the middle of a conversation. They belong to the user's side. */
    record Instruction(String text) implements Part {
        /** The text for a provider that takes instructions only before the conversation. */
        Text asText() {
            return new Text("<system>\n" + text + "\n</system>");
        }
    }

    /**
     * An image, given as data or as a link; the other is null.
     *
     * @param mediaType such as {@code image/png}; may be null for a link
     * @param data Base64
     * @param url a link that is not a {@code data:} URL
     * @param detail OpenAI's {@code low}, {@code high} or {@code auto}; may be null
     */
    record Image(
            @Nullable String mediaType,
            @Nullable String data,
            @Nullable String url,
            @Nullable String detail) implements Part {
        /** The text in place of an image of the model, for providers that take images only from the user. */
        static final String LEFT_OUT = "(An image that the model made stood here.)";

        /** The link, or a {@code data:} URL. */
        String link() {
            return url == null ? DataUrl.of(requireNonNull(mediaType), requireNonNull(data)) : url;
        }
    }

    /**
     * A document, given as data or as a link; the other is null.
     *
     * @param mediaType such as {@code application/pdf}; may be null for a link
     * @param data Base64
     * @param url a link that is not a {@code data:} URL
     * @param name a file name, may be null
     */
    record Document(
            @Nullable String mediaType,
            @Nullable String data,
            @Nullable String url,
            @Nullable String name) implements Part {
        /** The data as a {@code data:} URL. */
        String dataUrl() {
            return DataUrl.of(requireNonNull(mediaType), requireNonNull(data));
        }
    }

    /**
     * Media that the model made, given as data or as a link; the other is null.
     *
     * @param mediaType such as {@code image/png}; {@code image/*} if it is not known
     * @param data Base64
     * @param url a link that is not a {@code data:} URL
     */
    record Media(
            String mediaType,
            @Nullable String data,
            @Nullable String url) implements Part {
        /** Whether it is an image. */
        public boolean isImage() {
            return mediaType.startsWith("image/");
        }

        /** The link, or a {@code data:} URL. */
        public String link() {
            return url == null ? DataUrl.of(mediaType, requireNonNull(data)) : url;
        }

        /** The media as Markdown, for dialects that have only text. */
        public String markdown() {
            return (isImage() ? "![image](" : "[" + mediaType + "](") + link() + ")";
        }

        int chars() {
            return requireNonNull(url == null ? data : url).length();
        }
    }

    /**
     * A page of the web.
     *
     * @param title may be empty
     */
    record Source(String url, String title) {}

    /**
     * The source of a part of an answer's text.
     *
     * @param title may be empty
     * @param quote the text in the source, may be empty
     * @param start the first code point of the part in the answer's text, {@code -1} if not known
     * @param end the first code point after the part
     */
    record Citation(String url, String title, String quote, int start, int end) implements Part {
        int chars() {
            return url.length() + title.length() + quote.length();
        }
    }

    /**
     * A tool that the provider ran, and its result.
     *
     * @param input the query of a search, the URL of a page, or code
     * @param sources the pages that a search found
     * @param output the output of code
     * @param failed whether there is no result
     */
    record HostedUse(HostedKind kind, String input, List<Source> sources, String output, boolean failed)
            implements Part {
        /** Copies the list. */
        public HostedUse {
            sources = List.copyOf(sources);
        }

        int chars() {
            int chars = input.length() + output.length();
            for (Source source : sources) {
                chars += source.url().length() + source.title().length();
            }
            return chars;
        }
    }

    /**
     * Reasoning of the model before its answer.
     *
     * @param text readable reasoning, empty if the provider does not send it
     * @param seal the value that the provider wants back, null if there is none
     */
    record Reasoning(String text, @Nullable Seal seal) implements Part {}

    /**
     * A call that the model made.
     *
     * @param id identifies the call and its result; never empty
     * @param arguments a JSON object as text, as the model wrote it; it may be invalid
     * @param seal the value that the provider wants back, null if there is none
     */
    record ToolCall(
            String id,
            String name,
            String arguments,
            @Nullable Seal seal) implements Part {}

    /**
     * The result of a call.
     *
     * @param callId the call's id
     * @param content text, images and documents
     * @param failed whether the client reports that the tool failed
     */
    record ToolResult(String callId, List<Part> content, boolean failed) implements Part {
        /** Copies the list. */
        public ToolResult {
            content = List.copyOf(content);
        }
    }
}
