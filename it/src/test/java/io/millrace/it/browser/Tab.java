package io.millrace.it.browser;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Duration;
import org.awaitility.Awaitility;

/** The tab of a browser. It is closed after each test and can be opened again. */
final class Tab implements AutoCloseable {
    private static final Duration LIMIT = Duration.ofSeconds(30);
    private static final Duration POLL = Duration.ofMillis(20);
    private static final int CONTROL = 2;
    private static final String BLANK = "about:blank";
    /** Violations of the pages' policy, and exceptions that the pages threw. */
    private static final String WATCH = """
            window.violations = [];
            addEventListener('securitypolicyviolation', (e) => violations.push(e.violatedDirective + ' ' + e.blockedURI));
            addEventListener('error', (e) => violations.push(String(e.message)));
            addEventListener('unhandledrejection', (e) => violations.push(String(e.reason)));
            """;

    private final DevTools devTools;
    private final String session;

    Tab(DevTools devTools) {
        this.devTools = devTools;
        var target = DevTools.parameters().put("url", BLANK);
        String id = devTools.send(null, "Target.createTarget", target)
                .path("targetId")
                .asText();
        var attach = DevTools.parameters().put("targetId", id).put("flatten", true);
        session = devTools.send(null, "Target.attachToTarget", attach)
                .path("sessionId")
                .asText();
        send("Page.enable", DevTools.parameters());
        send("Page.addScriptToEvaluateOnNewDocument", DevTools.parameters().put("source", WATCH));
    }

    /** Opens the URL. Data of other tests belongs to other origins, because each test has ports of its own. */
    void load(String url) {
        send("Page.navigate", DevTools.parameters().put("url", url));
        await("location.href === '" + url + "' && document.readyState === 'complete'");
    }

    /** The value of an expression. A promise gives its result. */
    JsonNode eval(String expression) {
        var parameters = DevTools.parameters()
                .put("expression", expression)
                .put("awaitPromise", true)
                .put("returnByValue", true)
                .put("userGesture", true);
        JsonNode result = send("Runtime.evaluate", parameters);
        assertThat(result.path("exceptionDetails").isMissingNode())
                .as("%s: %s", expression, result.path("exceptionDetails"))
                .isTrue();
        return result.path("result").path("value");
    }

    /** The text of the element that a selector finds. */
    String text(String selector) {
        return eval("document.querySelector('" + selector + "').textContent").asText();
    }

    /** Waits until an expression is true. */
    void await(String condition) {
        Awaitility.await(condition)
                .atMost(LIMIT)
                .pollInterval(POLL)
                .pollDelay(Duration.ZERO)
                .until(() -> eval("!!(" + condition + ")").asBoolean());
    }

    /** Types into the element that has the focus. */
    void type(String text) {
        send("Input.insertText", DevTools.parameters().put("text", text));
    }

    /** Presses a key of that name. */
    void press(String key) {
        press(key, 0);
    }

    /** Presses a key with Control. */
    void pressControl(String key) {
        press(key, CONTROL);
    }

    private void press(String key, int modifiers) {
        // A button is pressed by the character of Enter.
        String text = key.equals("Enter") && modifiers == 0 ? "\r" : "";
        for (String type : new String[] {text.isEmpty() ? "rawKeyDown" : "keyDown", "keyUp"}) {
            send(
                    "Input.dispatchKeyEvent",
                    DevTools.parameters()
                            .put("type", type)
                            .put("text", type.equals("keyDown") ? text : "")
                            .put("key", key)
                            .put("code", key)
                            .put("windowsVirtualKeyCode", virtualKey(key))
                            .put("modifiers", modifiers));
        }
    }

    private static int virtualKey(String key) {
        return switch (key) {
            case "Enter" -> 13;
            case "Escape" -> 27;
            case "Tab" -> 9;
            default -> throw new IllegalArgumentException("key: " + key);
        };
    }

    /** Makes the page as wide and high as that. */
    void resize(int width, int height) {
        send(
                "Emulation.setDeviceMetricsOverride",
                DevTools.parameters()
                        .put("width", width)
                        .put("height", height)
                        .put("deviceScaleFactor", 1)
                        .put("mobile", true));
    }

    /** Sets the preferred color scheme: {@code light} or {@code dark}. */
    void colorScheme(String scheme) {
        var parameters = DevTools.parameters();
        parameters
                .putArray("features")
                .addObject()
                .put("name", "prefers-color-scheme")
                .put("value", scheme);
        send("Emulation.setEmulatedMedia", parameters);
    }

    private JsonNode send(String method, ObjectNode parameters) {
        return devTools.send(session, method, parameters);
    }

    /** Leaves the page, and so stops its requests. */
    @Override
    public void close() {
        send("Emulation.clearDeviceMetricsOverride", DevTools.parameters());
        load(BLANK);
    }
}
