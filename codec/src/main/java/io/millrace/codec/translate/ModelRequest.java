package io.millrace.codec.translate;

import java.util.ArrayList;
import java.util.List;

/**
 * What a client asks of a model, in no dialect. A component that is {@code null} was not said; lists are never null.
 *
 * @param model the model's name
 * @param stream whether the answer is to be streamed
 * @param includeUsage whether a stream is to tell its usage where its dialect leaves the choice to the client (Chat)
 * @param system instructions, in their order; wherever they stood in the conversation, they go before it
 * @param turns the conversation; no two neighbours have the same role
 * @param tools what the model may call
 * @param toolChoice whether it may, must or must not
 * @param parallelTools whether it may call several at once
 * @param maxTokens most tokens of the answer, reasoning included
 * @param sampling how tokens are chosen
 * @param format the form that the answer's text must have
 * @param thinking how much the model should reason
 * @param user an opaque name of the end user
 */
public record ModelRequest(
        String model,
        boolean stream,
        boolean includeUsage,
        List<String> system,
        List<Turn> turns,
        List<Tool> tools,
        ToolChoice toolChoice,
        Boolean parallelTools,
        Long maxTokens,
        Sampling sampling,
        OutputFormat format,
        Thinking thinking,
        String user) {

    /** Copies the lists. */
    public ModelRequest {
        system = List.copyOf(system);
        turns = List.copyOf(turns);
        tools = List.copyOf(tools);
    }

    /** A builder that has nothing but the model's name. */
    public static Builder of(String model) {
        return new Builder(model);
    }

    /** The same request to another model. */
    public ModelRequest withModel(String newModel) {
        return new ModelRequest(
                newModel,
                stream,
                includeUsage,
                system,
                turns,
                tools,
                toolChoice,
                parallelTools,
                maxTokens,
                sampling,
                format,
                thinking,
                user);
    }

    /** The same without instructions, turns and tools, which can be large. */
    public ModelRequest withoutContent() {
        return new ModelRequest(
                model,
                stream,
                includeUsage,
                List.of(),
                List.of(),
                List.of(),
                toolChoice,
                parallelTools,
                maxTokens,
                sampling,
                format,
                thinking,
                user);
    }

    /** Collects the components of a request. */
    public static final class Builder {
        private final String model;
        private final List<String> system = new ArrayList<>();
        private final List<Turn> turns = new ArrayList<>();
        private final List<Part> lastParts = new ArrayList<>();
        private Turn.Role lastRole;
        private final List<Tool> tools = new ArrayList<>();
        private boolean stream;
        private boolean includeUsage;
        private ToolChoice toolChoice;
        private Boolean parallelTools;
        private Long maxTokens;
        private Sampling sampling = Sampling.NONE;
        private OutputFormat format;
        private Thinking thinking;
        private String user;

        private Builder(String model) {
            this.model = model;
        }

        /** Sets {@link ModelRequest#stream}. */
        public Builder stream(boolean value) {
            stream = value;
            return this;
        }

        /** Sets {@link ModelRequest#includeUsage}. */
        public Builder includeUsage(boolean value) {
            includeUsage = value;
            return this;
        }

        /** Adds instructions; empty ones are left out. */
        public Builder system(String text) {
            if (!text.isEmpty()) {
                system.add(text);
            }
            return this;
        }

        /** Adds a turn, or more parts to the last one if that has the same role; one without parts is left out. */
        public Builder turn(Turn.Role role, List<Part> parts) {
            if (parts.isEmpty()) {
                return this;
            }
            if (!lastParts.isEmpty() && lastRole != role) {
                turns.add(new Turn(lastRole, lastParts));
                lastParts.clear();
            }
            lastRole = role;
            lastParts.addAll(parts);
            return this;
        }

        /** Adds a tool. */
        public Builder tool(Tool tool) {
            tools.add(tool);
            return this;
        }

        /** Sets {@link ModelRequest#toolChoice}. */
        public Builder toolChoice(ToolChoice value) {
            toolChoice = value;
            return this;
        }

        /** Sets {@link ModelRequest#parallelTools}. */
        public Builder parallelTools(Boolean value) {
            parallelTools = value;
            return this;
        }

        /** Sets {@link ModelRequest#maxTokens}. */
        public Builder maxTokens(Long value) {
            maxTokens = value;
            return this;
        }

        /** Sets {@link ModelRequest#sampling}. */
        public Builder sampling(Sampling value) {
            sampling = value;
            return this;
        }

        /** Sets {@link ModelRequest#format}. */
        public Builder format(OutputFormat value) {
            format = value;
            return this;
        }

        /** Sets {@link ModelRequest#thinking}. */
        public Builder thinking(Thinking value) {
            thinking = value;
            return this;
        }

        /** Sets {@link ModelRequest#user}. */
        public Builder user(String value) {
            user = value;
            return this;
        }

        /** The request. */
        public ModelRequest build() {
            List<Turn> all = new ArrayList<>(turns);
            if (!lastParts.isEmpty()) {
                all.add(new Turn(lastRole, lastParts));
            }
            return new ModelRequest(
                    model,
                    stream,
                    includeUsage,
                    system,
                    all,
                    tools,
                    toolChoice,
                    parallelTools,
                    maxTokens,
                    sampling,
                    format,
                    thinking,
                    user);
        }
    }
}
