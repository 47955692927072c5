package io.millrace.codec.translate;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A client's request to a model, independent of dialects. A component that was not given is {@code null}. Lists and
 * maps are never null.
 *
 * @param model the model's name
 * @param stream whether the answer is to be streamed
 * @param includeUsage whether a stream has its usage, in a dialect that leaves this to the client (Chat)
 * @param system the instructions before the conversation, in their order; later ones are {@link Part.Instruction}s
 * @param turns the conversation; neighbours have different roles
 * @param tools the tools that the model may use
 * @param forms the forms of calls for the client, by the name of the function; other functions are plain functions
 * @param toolChoice whether the model may, must or must not call tools
 * @param parallelTools whether the model may call several tools at once
 * @param maxTokens the most tokens of the answer, including reasoning
 * @param sampling how tokens are chosen
 * @param format the form that the answer's text must have
 * @param thinking how much the model should reason
 * @param user an opaque name of the end user
 * @param dropped the parts of the client's request that were left out, to report them to the client
 */
public record ModelRequest(
        String model,
        boolean stream,
        boolean includeUsage,
        List<String> system,
        List<Turn> turns,
        List<Tool> tools,
        Map<String, CallForm> forms,
        @Nullable ToolChoice toolChoice,
        @Nullable Boolean parallelTools,
        @Nullable Long maxTokens,
        Sampling sampling,
        @Nullable OutputFormat format,
        @Nullable Thinking thinking,
        @Nullable String user,
        List<DroppedField> dropped) {

    /** Copies the lists and the map. */
    public ModelRequest {
        system = List.copyOf(system);
        turns = List.copyOf(turns);
        tools = List.copyOf(tools);
        forms = Map.copyOf(forms);
        dropped = List.copyOf(dropped);
    }

    /** A builder with only the model's name. */
    public static Builder of(String model) {
        return new Builder(model);
    }

    /** The tools that the client runs. */
    public List<Tool.Function> functions() {
        return tools.stream()
                .filter(Tool.Function.class::isInstance)
                .map(Tool.Function.class::cast)
                .toList();
    }

    /** The tools that their provider runs. */
    public List<Tool.Hosted> hosted() {
        return tools.stream()
                .filter(Tool.Hosted.class::isInstance)
                .map(Tool.Hosted.class::cast)
                .toList();
    }

    /** The form of a call of this function for the client. */
    public CallForm form(String function) {
        CallForm form = forms.get(function);
        return form == null ? new CallForm(CallForm.Kind.FUNCTION, null, function) : form;
    }

    /** This request to another model. */
    public ModelRequest withModel(String newModel) {
        return change(newModel, request -> {});
    }

    /** This request with other tools, and with all parts that were left out so far. */
    ModelRequest withTools(List<? extends Tool> otherTools, List<DroppedField> leftOut) {
        return change(model, request -> {
            request.tools.clear();
            request.tools.addAll(otherTools);
            request.dropped = leftOut;
        });
    }

    /** This request with another choice of tools. */
    ModelRequest withToolChoice(ToolChoice otherChoice) {
        return change(model, request -> request.toolChoice = otherChoice);
    }

    /** This request without instructions, turns, functions and settings of other tools, which can be large. */
    public ModelRequest withoutContent() {
        return change(model, request -> {
            request.system.clear();
            request.turns = new TurnList(List.of());
            request.tools.clear();
            for (Tool.Hosted tool : hosted()) {
                request.tools.add(new Tool.Hosted(tool.kind(), tool.type(), tool.path(), List.of()));
            }
        });
    }

    private ModelRequest change(String newModel, Consumer<Builder> changes) {
        Builder copy = new Builder(newModel);
        copy.stream = stream;
        copy.includeUsage = includeUsage;
        copy.system.addAll(system);
        copy.turns = new TurnList(turns);
        copy.tools.addAll(tools);
        copy.forms.putAll(forms);
        copy.toolChoice = toolChoice;
        copy.parallelTools = parallelTools;
        copy.maxTokens = maxTokens;
        copy.sampling = sampling;
        copy.format = format;
        copy.thinking = thinking;
        copy.user = user;
        copy.dropped = dropped;
        changes.accept(copy);
        return copy.build();
    }

    /** Collects the components of a request. */
    public static final class Builder {
        private final String model;
        private final List<String> system = new ArrayList<>();
        private TurnList turns = new TurnList(List.of());
        private final List<Tool> tools = new ArrayList<>();
        private final Map<String, CallForm> forms = new HashMap<>();
        private List<DroppedField> dropped = List.of();
        private boolean stream;
        private boolean includeUsage;
        private @Nullable ToolChoice toolChoice;
        private @Nullable Boolean parallelTools;
        private @Nullable Long maxTokens;
        private Sampling sampling = Sampling.NONE;
        private @Nullable OutputFormat format;
        private @Nullable Thinking thinking;
        private @Nullable String user;

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

        /**
         * Adds instructions, unless they are blank. Instructions after a turn stay there. At the front they would
         * change the beginning of the prompt, and the provider could not use its cache.
         */
        public Builder system(String text) {
            if (text.isBlank()) {
                return this;
            }
            if (turns.isEmpty()) {
                system.add(text);
                return this;
            }
            return turn(Turn.Role.USER, List.of(new Part.Instruction(text)));
        }

        /**
         * Adds a turn, or adds its parts to the last turn if that has the same role. A turn without parts is left out.
         */
        public Builder turn(Turn.Role role, List<Part> parts) {
            turns.add(role, parts);
            return this;
        }

        /** Adds a tool. */
        public Builder tool(Tool tool) {
            tools.add(tool);
            if (tool instanceof Tool.Function function && function.form() != null) {
                forms.put(function.name(), function.form());
            }
            return this;
        }

        /** Sets {@link ModelRequest#dropped}. */
        public Builder dropped(List<DroppedField> value) {
            dropped = value;
            return this;
        }

        /** Sets {@link ModelRequest#toolChoice}. */
        public Builder toolChoice(@Nullable ToolChoice value) {
            toolChoice = value;
            return this;
        }

        /** Sets {@link ModelRequest#parallelTools}. */
        public Builder parallelTools(@Nullable Boolean value) {
            parallelTools = value;
            return this;
        }

        /** Sets {@link ModelRequest#maxTokens}. */
        public Builder maxTokens(@Nullable Long value) {
            maxTokens = value;
            return this;
        }

        /** Sets {@link ModelRequest#sampling}. */
        public Builder sampling(Sampling value) {
            sampling = value;
            return this;
        }

        /** Sets {@link ModelRequest#format}. */
        public Builder format(@Nullable OutputFormat value) {
            format = value;
            return this;
        }

        /** Sets {@link ModelRequest#thinking}. */
        public Builder thinking(@Nullable Thinking value) {
            thinking = value;
            return this;
        }

        /** Sets {@link ModelRequest#user}. */
        public Builder user(@Nullable String value) {
            user = value;
            return this;
        }

        /** The request. */
        public ModelRequest build() {
            return new ModelRequest(
                    model,
                    stream,
                    includeUsage,
                    system,
                    turns.list(),
                    tools,
                    forms,
                    toolChoice,
                    parallelTools,
                    maxTokens,
                    sampling,
                    format,
                    thinking,
                    user,
                    dropped);
        }
    }
}
