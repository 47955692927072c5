package io.millrace.it.browser;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;

/** A connection to a browser's DevTools protocol. Commands may come from any thread, one at a time. */
final class DevTools implements WebSocket.Listener, AutoCloseable {
    private static final JsonMapper JSON = new JsonMapper();
    private static final long LIMIT_SECONDS = 60;

    private final Map<Integer, CompletableFuture<JsonNode>> pending = new ConcurrentHashMap<>();
    private final AtomicInteger lastId = new AtomicInteger();
    private final StringBuilder partial = new StringBuilder();
    private final WebSocket socket;

    DevTools(URI uri) {
        socket = HttpClient.newHttpClient()
                .newWebSocketBuilder()
                .buildAsync(uri, this)
                .join();
    }

    static ObjectNode parameters() {
        return JSON.createObjectNode();
    }

    /**
     * Sends a command and waits for its result.
     *
     * @param session of the tab, or null for the browser itself
     */
    JsonNode send(String session, String method, ObjectNode parameters) {
        int id = lastId.incrementAndGet();
        var command = JSON.createObjectNode().put("id", id).put("method", method);
        if (session != null) {
            command.put("sessionId", session);
        }
        command.set("params", parameters);
        var reply = new CompletableFuture<JsonNode>();
        pending.put(id, reply);
        socket.sendText(command.toString(), true).join();
        try {
            return reply.get(LIMIT_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(method, e);
        } catch (ExecutionException | TimeoutException e) {
            throw new IllegalStateException(method + " failed", e);
        }
    }

    @Override
    public CompletionStage<?> onText(WebSocket webSocket, CharSequence data, boolean last) {
        partial.append(data);
        if (last) {
            String message = partial.toString();
            partial.setLength(0);
            onMessage(message);
        }
        webSocket.request(1);
        return null;
    }

    @Override
    public void onError(WebSocket webSocket, Throwable error) {
        fail(error);
    }

    @Override
    public CompletionStage<?> onClose(WebSocket webSocket, int statusCode, String reason) {
        fail(new IOException("the browser closed the connection: " + reason));
        return null;
    }

    @Override
    public void close() {
        socket.abort();
    }

    private void onMessage(String text) {
        JsonNode message;
        try {
            message = JSON.readTree(text);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        var reply = pending.remove(message.path("id").asInt());
        if (reply == null) {
            return;
        }
        if (message.has("error")) {
            reply.completeExceptionally(
                    new IllegalStateException(message.get("error").toString()));
        } else {
            reply.complete(message.path("result"));
        }
    }

    private void fail(Throwable error) {
        pending.values().forEach(reply -> reply.completeExceptionally(error));
    }
}
