package io.millrace.server.console;

import io.netty.handler.codec.http.DefaultHttpHeaders;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.zip.CRC32;
import org.jspecify.annotations.Nullable;

/**
 * Answers requests for the pages and their assets. Assets are in a directory whose name depends on their contents, so a
 * client may keep them for ever. A page names that directory, and a client asks for the page each time. Immutable.
 */
public final class Console {
    private static final String ASSETS = "/millrace/console/";
    /** The files of the pages by their paths. */
    private static final Map<String, String> PAGE_FILES =
            Map.of("/", "index.html", "/millrace/streams", "streams.html");

    private static final List<String> ASSET_FILES = List.of(
            "page.css",
            "icon.svg",
            "page.js",
            "chat.js",
            "beside.js",
            "markdown.js",
            "timeline.js",
            "timing.js",
            "frames.js",
            "snippets.js",
            "parts.js",
            "ways.js",
            "streams.css",
            "streams.js",
            "feed.js",
            "rows.js",
            "charts.js",
            "vendor/marked.js",
            "vendor/dompurify.js",
            "vendor/uplot.js",
            "vendor/uplot.css");
    private static final byte[] NOT_FOUND = "There is no such file.\n".getBytes(StandardCharsets.US_ASCII);
    /**
     * Allows only resources of this relay, no script or style inside the page, and no string as HTML unless the
     * sanitiser made it (CSP Level 3; Trusted Types).
     */
    private static final String POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self';"
            + " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none';"
            + " require-trusted-types-for 'script'; trusted-types dompurify";

    /** The text of the pages by their paths, each with the place of the default model. */
    private final Map<String, String> html = new HashMap<>();
    /** The pages as they were last asked for: the model is another one only after a reload. */
    private volatile Pages pages;

    private final Map<String, Asset> assets = new HashMap<>();

    /**
     * An answer that is sent unchanged.
     *
     * @param status 200, 304 without a body, or 404
     * @param headers all header fields, including the type, except the length
     * @param body must not be changed
     */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    public record Answer(int status, HttpHeaders headers, byte[] body) {}

    /** The pages by their paths, with the default model. */
    private record Pages(@Nullable String model, Map<String, Asset> assets) {}

    private Console() throws IOException {
        var all = new CRC32();
        var files = new HashMap<String, Asset>();
        for (String name : ASSET_FILES) {
            byte[] body = read(name);
            all.update(body);
            files.put(name, Asset.of(name, body));
        }
        String directory = ASSETS + "%08x/".formatted(all.getValue());
        files.forEach((name, asset) -> assets.put(directory + name, asset));
        for (Map.Entry<String, String> page : PAGE_FILES.entrySet()) {
            String text = new String(read(page.getValue()), StandardCharsets.UTF_8)
                    .replace("{assets}", relative(page.getKey(), directory));
            html.put(page.getKey(), text);
        }
        pages = pages(null);
    }

    /** Relative, so that a page works behind a proxy that adds a path before the relay's. */
    private static String relative(String page, String directory) {
        return directory.substring(page.lastIndexOf('/') + 1);
    }

    /** Whether a page or an asset has this path. */
    public static boolean owns(String path) {
        return PAGE_FILES.containsKey(path) || path.startsWith(ASSETS);
    }

    /** Completes with the only instance. At the first call it reads the files, on a thread that may block. */
    public static CompletionStage<Console> loaded() {
        return Loaded.CONSOLE;
    }

    private static Console load() {
        try {
            return new Console();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * The answer to a GET.
     *
     * @param path a path that is {@linkplain #owns owned}
     * @param model the model that answers where a request names none; empty if there is none, null if that is not told
     * @param ifNoneMatch the request's {@code If-None-Match}, or null
     */
    public Answer answer(String path, @Nullable String model, @Nullable String ifNoneMatch) {
        boolean isPage = html.containsKey(path);
        Asset asset = isPage ? pagesFor(model).assets().get(path) : assets.get(path);
        var headers = new DefaultHttpHeaders();
        headers.set(HttpHeaderNames.CONTENT_SECURITY_POLICY, POLICY);
        headers.set("x-content-type-options", "nosniff");
        headers.set("referrer-policy", "no-referrer");
        headers.set("cross-origin-opener-policy", "same-origin");
        headers.set("cross-origin-resource-policy", "same-origin");
        if (asset == null) {
            headers.set(HttpHeaderNames.CACHE_CONTROL, "no-store");
            headers.set(HttpHeaderNames.CONTENT_TYPE, "text/plain; charset=utf-8");
            return new Answer(404, headers, NOT_FOUND);
        }
        headers.set(HttpHeaderNames.CACHE_CONTROL, isPage ? "no-cache" : "public, max-age=31536000, immutable");
        headers.set(HttpHeaderNames.ETAG, asset.etag());
        if (matches(ifNoneMatch, asset.etag())) {
            return new Answer(304, headers, new byte[0]);
        }
        headers.set(HttpHeaderNames.CONTENT_TYPE, asset.type());
        return new Answer(200, headers, asset.body());
    }

    private Pages pagesFor(@Nullable String model) {
        Pages made = pages;
        if (!Objects.equals(made.model(), model)) {
            made = pages(model);
            pages = made;
        }
        return made;
    }

    private Pages pages(@Nullable String model) {
        String attribute = model == null ? "" : " data-model=\"" + escaped(model) + "\"";
        var made = new HashMap<String, Asset>();
        html.forEach((path, text) -> {
            byte[] body = text.replace("{model}", attribute).getBytes(StandardCharsets.UTF_8);
            made.put(path, Asset.of("page.html", body));
        });
        return new Pages(model, made);
    }

    private static String escaped(String text) {
        return text.replace("&", "&amp;").replace("\"", "&quot;").replace("<", "&lt;");
    }

    /** RFC 9110 section 13.1.2: a list of tags, which may be weak, or a star. */
    private static boolean matches(@Nullable String ifNoneMatch, String etag) {
        return ifNoneMatch != null && (ifNoneMatch.strip().equals("*") || ifNoneMatch.contains(etag));
    }

    private static byte[] read(String name) throws IOException {
        try (var in = Console.class.getResourceAsStream(name)) {
            if (in == null) {
                throw new FileNotFoundException("resource: " + name);
            }
            return in.readAllBytes();
        }
    }

    private static final class Loaded {
        static final CompletableFuture<Console> CONSOLE = CompletableFuture.supplyAsync(Console::load);
    }
}
