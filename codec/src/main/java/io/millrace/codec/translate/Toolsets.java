package io.millrace.codec.translate;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Map;
import java.util.Set;

/**
 * The toolsets of Messages that the client runs, {@code computer_toolset_…} and {@code browser_toolset_…}: one function
 * for each member. A member is written {@code name parameter parameter? -- description}. The sign {@code ?} marks an
 * optional parameter.
 */
final class Toolsets {
    /** Members that do more than look and click. They are offered only if the client enables them. */
    private static final Set<String> OFF_BY_DEFAULT = Set.of("javascript_exec", "file_upload");

    private static final String COMPUTER = """
            key text repeat? -- Presses a key, or keys together such as ctrl+s.
            hold_key text duration -- Holds a key, or keys together, for some seconds.
            type text -- Types text.
            cursor_position -- Tells where the cursor is.
            mouse_move coordinate -- Moves the cursor without a click.
            left_mouse_down -- Presses the left mouse button where the cursor is, and holds it.
            left_mouse_up -- Releases the left mouse button.
            left_click coordinate? text? -- Clicks at a point, or where the cursor is; text is a key to hold meanwhile.
            left_click_drag start_coordinate coordinate text? -- Drags from one point to another.
            right_click coordinate? text? -- Clicks with the right button.
            middle_click coordinate? text? -- Clicks with the middle button.
            double_click coordinate? text? -- Clicks twice.
            triple_click coordinate? text? -- Clicks three times.
            scroll scroll_direction scroll_amount coordinate? text? -- Turns the mouse wheel at a point.
            wait duration -- Waits for some seconds.
            screenshot -- Takes a picture of the screen.
            zoom region -- Takes a picture of a part of the screen, enlarged.
            """;

    private static final String BROWSER = """
            navigate url tab_id? -- Opens a URL; also back, forward and reload.
            list_tabs -- Lists the open tabs.
            new_tab -- Opens an empty tab and tells its id.
            switch_tab tab_id -- Makes a tab the active one.
            close_tab tab_id -- Closes a tab.
            read_page ref? depth? filter? tab_id? -- Reads the page as a tree of elements, with references to them.
            get_page_text tab_id? -- Reads the visible text of the page.
            read_console tab_id? -- Reads what was written to the console since the last time.
            read_network tab_id? -- Reads the network requests since the last time.
            find query tab_id? -- Finds elements by a description, with references to them.
            form_input element value tab_id? -- Sets the value of a form's element.
            file_upload element paths? document_ids? tab_id? -- Gives files to a form's element.
            scroll_to element tab_id? -- Scrolls an element into view.
            screenshot tab_id? -- Takes a picture of the page.
            zoom region tab_id? -- Takes a picture of a part of the page, enlarged.
            left_click target modifiers? tab_id? -- Clicks a point or an element.
            right_click target modifiers? tab_id? -- Clicks with the right button.
            middle_click target modifiers? tab_id? -- Clicks with the middle button.
            double_click target modifiers? tab_id? -- Clicks twice.
            triple_click target modifiers? tab_id? -- Clicks three times.
            hover target tab_id? -- Moves the cursor to a point or an element.
            left_click_drag from point tab_id? -- Drags from one point to another.
            left_mouse_down point tab_id? -- Presses the left mouse button at a point, and holds it.
            left_mouse_up point tab_id? -- Releases the left mouse button at a point.
            mouse_move point tab_id? -- Moves the cursor to a point.
            scroll scroll_direction point scroll_amount? tab_id? -- Turns the mouse wheel at a point.
            type text tab_id? -- Types text.
            key text repeat? tab_id? -- Presses a key, keys together such as ctrl+a, or several with spaces between.
            hold_key text duration tab_id? -- Holds a key for some seconds.
            wait duration tab_id? -- Waits for some seconds.
            javascript_exec text tab_id? -- Evaluates JavaScript in the page, and tells the value of its last expression.
            """;

    private static final String POINT = """
            {"type": "object", "properties": {"type": {"const": "coordinate"}, "x": {"type": "number"}, "y": {"type": "number"}},
             "required": ["type", "x", "y"]}""";

    private static final String ELEMENT = """
            {"type": "object", "properties": {"type": {"const": "ref"},
             "ref": {"type": "string", "description": "Such as ref_7, from read_page or find."}}, "required": ["type", "ref"]}""";

    private static final String PIXELS = "{\"type\": \"array\", \"items\": {\"type\": \"number\"}, \"description\": ";

    /** The schemas of parameters. Other parameters are strings. */
    private static final Map<String, String> SCHEMAS = Map.ofEntries(
            Map.entry("coordinate", PIXELS + "\"x and y in pixels.\"}"),
            Map.entry("start_coordinate", PIXELS + "\"x and y in pixels.\"}"),
            Map.entry("region", PIXELS + "\"x and y of the upper left and of the lower right corner.\"}"),
            Map.entry("point", POINT),
            Map.entry("from", POINT),
            Map.entry("element", ELEMENT),
            Map.entry("target", "{\"anyOf\": [" + POINT + "," + ELEMENT + "]}"),
            Map.entry("value", "{\"type\": [\"string\", \"number\", \"boolean\"]}"),
            Map.entry("filter", "{\"type\": \"string\", \"enum\": [\"all\", \"interactive\"]}"),
            Map.entry("scroll_direction", "{\"type\": \"string\", \"enum\": [\"up\", \"down\", \"left\", \"right\"]}"),
            Map.entry("paths", "{\"type\": \"array\", \"items\": {\"type\": \"string\"}}"),
            Map.entry("document_ids", "{\"type\": \"array\", \"items\": {\"type\": \"string\"}}"),
            Map.entry("depth", "{\"type\": \"integer\"}"),
            Map.entry("repeat", "{\"type\": \"integer\"}"),
            Map.entry("scroll_amount", "{\"type\": \"integer\"}"),
            Map.entry("duration", "{\"type\": \"number\", \"description\": \"Seconds.\"}"));

    /** The names of parameters that differ from the keys of their schemas. */
    private static final Map<String, String> NAMES = Map.of("point", "target", "element", "target");

    private Toolsets() {}

    /** Whether this is the type of a toolset that the client runs. */
    static boolean isKnown(String type) {
        return type.startsWith("computer_toolset_2") || type.startsWith("browser_toolset_2");
    }

    /** The namespace of the functions of a toolset that {@linkplain #isKnown is known}. */
    static String group(String type) {
        return type.startsWith("browser") ? "browser" : "computer";
    }

    /** Adds the functions of a toolset, except those that the client has disabled. */
    static void addAll(String type, JsonFields toolset, ToolList tools) {
        String group = group(type);
        boolean browser = group.equals("browser");
        JsonFields configs = toolset.object("configs");
        (browser ? BROWSER : COMPUTER).lines().forEach(line -> {
            String[] said = line.split(" -- ", 2);
            String[] words = said[0].split(" ");
            JsonFields config = configs == null ? null : configs.object(words[0]);
            Boolean enabled = config == null ? null : config.flag("enabled");
            if (enabled == null ? !OFF_BY_DEFAULT.contains(words[0]) : enabled) {
                tools.add(new Tool.Function(
                        ToolName.of(group, words[0]), said[1], schema(words), null, ToolName.form(group, words[0])));
            }
        });
    }

    private static ObjectNode schema(String[] words) {
        ObjectNode schema = Json.object().put("type", "object");
        ObjectNode properties = schema.putObject("properties");
        ArrayNode required = Json.object().arrayNode();
        for (int i = 1; i < words.length; i++) {
            boolean optional = words[i].endsWith("?");
            String word = optional ? words[i].substring(0, words[i].length() - 1) : words[i];
            String name = NAMES.getOrDefault(word, word);
            properties.set(name, Json.parseObject(SCHEMAS.getOrDefault(word, "{\"type\": \"string\"}")));
            if (!optional) {
                required.add(name);
            }
        }
        if (!required.isEmpty()) {
            schema.set("required", required);
        }
        return schema;
    }
}
