package io.millrace.server.console;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.server.config.Credential;
import io.millrace.server.config.Credential.Secret;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.RelayConfig.OwnPaths;
import io.millrace.server.config.Upstream;
import io.millrace.server.test.RawClient;
import io.millrace.server.test.RelayHarness;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Tag("sockets")
@Tag("h2")
class ConsoleTest {
    private static final Pattern LINK = Pattern.compile("(?:href|src)=\"([^\"]+)\"");
    private static final Pattern IMPORT = Pattern.compile("from '\\./([^']+)'");

    @ParameterizedTest
    @CsvSource({"/?anything, Millrace", "/millrace/streams, Streams · Millrace"})
    void servesThePagesUnderAStrictPolicy(String path, String title) throws IOException {
        try (var harness = RelayHarness.start();
                var client = harness.client()) {
            RawClient.Response page = get(client, path);

            assertThat(page.status()).isEqualTo(200);
            assertThat(page.text()).contains("<title>" + title + "</title>").doesNotContain("{assets}");
            assertThat(page.text())
                    .as("neither script nor style inside the page")
                    .doesNotContainPattern("<style|style=|<script(?![^>]* src=)|\\son[a-z]+=");
            assertThat(page.header("content-type")).isEqualTo("text/html; charset=utf-8");
            assertThat(page.header("content-security-policy"))
                    .startsWith("default-src 'none'; script-src 'self'; style-src 'self';")
                    .contains("frame-ancestors 'none'", "base-uri 'none'", "require-trusted-types-for 'script'")
                    .doesNotContain("unsafe", "*", "http", "data:");
            assertThat(page.header("x-content-type-options")).isEqualTo("nosniff");
            assertThat(page.header("referrer-policy")).isEqualTo("no-referrer");
            assertThat(page.header("cache-control")).isEqualTo("no-cache");
            assertThat(harness.mock.requests()).isEmpty();
        }
    }

    /** A model may have any name, also that of a state. */
    @Test
    void tellsTheDefaultModelToItsScript() {
        Console console = Console.loaded().toCompletableFuture().join();
        assertThat(page(console, "default")).contains("<body data-model=\"default\">");
        assertThat(page(console, "")).contains("<body data-model=\"\">");
        assertThat(page(console, null)).contains("<body>");
        assertThat(page(console, "a\"<&>")).contains("<body data-model=\"a&quot;&lt;&amp;>\">");
    }

    private static String page(Console console, @Nullable String model) {
        return new String(console.answer("/", model, null).body(), StandardCharsets.UTF_8);
    }

    @ParameterizedTest
    @CsvSource({"/, ''", "/millrace/streams, /millrace"})
    void servesWhatAPageLoadsForEver(String page, String above) throws IOException {
        try (var harness = RelayHarness.start();
                var client = harness.client()) {
            String prefix = page.equals("/") ? "millrace/console/" : "console/";
            List<String> links = find(LINK, get(client, page).text()).stream()
                    .filter(link -> link.startsWith(prefix))
                    .toList();
            var scripts = new ArrayList<String>();

            assertThat(links).hasSizeGreaterThan(5);
            for (String link : links) {
                RawClient.Response asset = get(client, above + "/" + link);
                assertThat(asset.status()).as(link).isEqualTo(200);
                assertThat(asset.body()).isNotEmpty();
                assertThat(asset.header("cache-control")).isEqualTo("public, max-age=31536000, immutable");
                assertThat(asset.header("x-content-type-options")).isEqualTo("nosniff");
                assertThat(asset.header("content-type")).startsWith(typeOf(link));
                if (link.endsWith(".js") && !link.contains("/vendor/")) {
                    String directory = link.substring(0, link.lastIndexOf('/') + 1);
                    find(IMPORT, asset.text()).forEach(name -> scripts.add(directory + name));
                }
            }
            assertThat(links).as("all modules, at once").containsAll(scripts);
        }
    }

    @Test
    void answersWhatTheClientHasAlreadyWith304() throws IOException {
        try (var harness = RelayHarness.start();
                var client = harness.client()) {
            for (String path :
                    List.of("/", "/" + find(LINK, get(client, "/").text()).get(1))) {
                String etag = get(client, path).header("etag");

                client.send("GET", path, "", "If-None-Match: \"other\", W/" + etag);
                String head = client.readHead();
                assertThat(head).startsWith("HTTP/1.1 304 ");
                assertThat(RawClient.header(head, "etag")).isEqualTo(etag);
                assertThat(RawClient.header(head, "content-length")).isNull();

                client.send("GET", path, "", "If-None-Match: \"other\"");
                assertThat(client.readAll().status()).isEqualTo(200);
            }
        }
    }

    @Test
    void answersHeadWithoutABody() throws IOException {
        try (var harness = RelayHarness.start();
                var client = harness.client()) {
            client.send("HEAD", "/", "");
            String head = client.readHead();
            assertThat(head).startsWith("HTTP/1.1 200 ");

            RawClient.Response page = get(client, "/");
            assertThat(RawClient.header(head, "content-length"))
                    .isEqualTo(Integer.toString(page.body().length))
                    .isEqualTo(page.header("content-length"));
        }
    }

    @Test
    void hasNoOtherFiles() throws IOException {
        try (var harness = RelayHarness.start();
                var client = harness.client()) {
            String page = find(LINK, get(client, "/").text()).get(1);
            String directory = "/" + page.substring(0, page.lastIndexOf('/') + 1);
            for (String path : List.of(
                    "/millrace/console/",
                    directory,
                    directory + "index.html",
                    directory + "vendor/SHA256SUMS",
                    directory + "../console/page.js",
                    directory + "Console.class",
                    "/millrace/console/00000000/page.js")) {
                RawClient.Response response = get(client, path);
                assertThat(response.status()).as(path).isEqualTo(404);
                assertThat(response.header("cache-control")).isEqualTo("no-store");
            }
            assertThat(harness.mock.requests()).isEmpty();
        }
    }

    @Test
    void isRelayedWhereItIsSwitchedOffAndForOtherMethods() throws IOException {
        try (var harness = RelayHarness.start(
                        config -> config.with(c -> c.ownPaths = OwnPaths.ALL.with(o -> o.page = false)));
                var client = harness.client()) {
            get(client, "/");
            get(client, "/millrace/console/page.js");
            assertThat(harness.mock.requests()).hasSize(2);
        }
        try (var harness = RelayHarness.start();
                var client = harness.client()) {
            client.send("POST", "/", "");
            client.readAll();
            get(client, "/index.html");
            assertThat(harness.mock.requests()).hasSize(2);
        }
    }

    @Test
    void isRefusedToForeignNamesWhereKeysAreAdded() throws IOException {
        try (var harness = RelayHarness.start(ConsoleTest::withKey);
                var client = harness.client()) {
            // The client's Host is none of loopback's.
            assertThat(get(client, "/").status()).isEqualTo(403);
            client.sendRaw("GET / HTTP/1.1\r\nHost: localhost:8080\r\n\r\n");
            assertThat(client.readAll().status()).isEqualTo(200);
            client.sendRaw("GET / HTTP/1.1\r\nHost: localhost:8080\r\nOrigin: https://example.com\r\n\r\n");
            assertThat(client.readAll().status()).isEqualTo(403);
            assertThat(harness.mock.requests()).isEmpty();
        }
    }

    @Test
    void hasTheVendoredModulesOfTheManifest() throws Exception {
        var manifest = new String(read("vendor/SHA256SUMS"), StandardCharsets.US_ASCII);

        assertThat(manifest.lines())
                .anyMatch(line -> line.endsWith("  marked.js"))
                .anyMatch(line -> line.endsWith("  dompurify.js"))
                .anyMatch(line -> line.endsWith("  marked.LICENSE"))
                .anyMatch(line -> line.endsWith("  dompurify.LICENSE"));
        for (String line : manifest.lines().toList()) {
            String[] sum = line.split(" {2}", 2);
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(read("vendor/" + sum[1]));
            assertThat(HexFormat.of().formatHex(digest)).as(sum[1]).isEqualTo(sum[0]);
        }
    }

    private static RelayConfig withKey(RelayConfig config) {
        var credential = new Credential("authorization", "Bearer ", Secret.of("s3cret", "env: TEST"));
        Upstream upstream = config.upstreams().get("default").with(u -> u.credential = credential);
        return config.with(c -> c.upstreams = Map.of("default", upstream));
    }

    private static String typeOf(String link) {
        return switch (link.substring(link.lastIndexOf('.'))) {
            case ".css" -> "text/css";
            case ".svg" -> "image/svg+xml";
            default -> "text/javascript";
        };
    }

    private static List<String> find(Pattern pattern, String text) {
        return pattern.matcher(text).results().map(match -> match.group(1)).toList();
    }

    private static byte[] read(String name) throws IOException {
        try (var in = Console.class.getResourceAsStream(name)) {
            return in.readAllBytes();
        }
    }

    private static RawClient.Response get(RawClient client, String path) throws IOException {
        client.send("GET", path, "");
        return client.readAll();
    }
}
