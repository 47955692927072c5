package io.millrace.server.access;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.server.config.ClientSettings;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.RelayConfig.ClientAccess;
import io.millrace.server.limit.ClientUse;
import io.netty.handler.codec.http.DefaultHttpRequest;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpVersion;
import java.net.InetAddress;
import java.net.URLEncoder;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The identity of a client from its request's head, with attempts to deceive the relay. */
class AccessKeysTest {
    private static final String KEY = newKey();
    private static final String SECOND = newKey();
    private static final String OTHERS = newKey();
    private static final String EXPIRED = newKey();
    private static final String DISABLED = newKey();
    private static final String UNKNOWN = newKey();
    private static final String RANDOM_PART = KEY.substring(KeyFormat.PREFIX.length());
    private static final String CHAT = "/v1/chat/completions";
    private static final long NOW_MS = System.currentTimeMillis();
    private static final Clients CLIENTS = clients();
    private static final Access ACCESS =
            new Access(RelayConfig.defaults().with(c -> c.clients = ClientAccess.of(Path.of("clients.yaml"))), CLIENTS);

    private static String newKey() {
        return KeyFormat.generate(new SecureRandom());
    }

    private static Clients clients() {
        var web = client("web", key(KEY, null), key(SECOND, Instant.now().plusSeconds(3600)));
        var other =
                client("other", key(OTHERS, null), key(EXPIRED, Instant.now().minusSeconds(1)));
        var disabled = client("disabled", key(DISABLED, null)).with(c -> c.disabled = true);
        var office = client("office").with(c -> c.certificate = "spiffe://acme/office");
        return new Clients(List.of(web, other, disabled, office), settings -> ClientUse.ofNobody());
    }

    private static ClientSettings client(String name, ClientSettings.Key... keys) {
        return ClientSettings.of(name).with(c -> c.keys = List.of(keys));
    }

    private static ClientSettings.Key key(String key, Instant expires) {
        return new ClientSettings.Key(KeyFormat.hash(key), expires);
    }

    static Stream<Arguments> ways() {
        return Stream.of(
                // Where a key may be.
                way("web", CHAT, "Authorization: Bearer " + KEY),
                way("web", CHAT, "authorization: bearer " + KEY),
                way("web", CHAT, "AUTHORIZATION: BEARER   " + KEY),
                way("web", CHAT, "x-api-key: " + KEY),
                way("web", CHAT, "X-API-KEY: " + SECOND),
                way("web", CHAT, "api-key: " + KEY),
                way("web", CHAT, "x-goog-api-key: " + KEY),
                way("web", CHAT, "X-Millrace-Key: " + KEY),
                way("web", CHAT + "?key=" + KEY),
                way("web", CHAT + "?alt=sse&key=" + KEY + "&x=1"),
                way("web", CHAT + "?k%65y=%6Dr%5F" + RANDOM_PART),
                way("web", "http://relay.example" + CHAT + "?key=" + KEY),
                way("other", CHAT, "x-api-key: " + OTHERS),
                // Beside a key for the provider.
                way("web", CHAT, "X-Millrace-Key: " + KEY, "Authorization: Bearer sk-own"),
                way("web", CHAT, "Authorization: Bearer " + KEY, "x-api-key: sk-own"),
                way("web", CHAT + "?key=" + KEY + "&key=AIzaOwn"),
                way("web", CHAT + "?key=AIzaOwn", "x-api-key: " + KEY),
                // No key, or not of a client that may ask.
                way(null, CHAT),
                way(null, CHAT, "Authorization: Bearer sk-own"),
                way(null, CHAT, "x-api-key: " + UNKNOWN),
                way(null, CHAT, "x-api-key: " + EXPIRED),
                way(null, CHAT, "x-api-key: " + DISABLED),
                way(null, CHAT, "x-api-key: "),
                way(null, CHAT, "x-api-key: mr_"),
                way(null, CHAT, "Authorization: Bearer"),
                way(null, CHAT, "Authorization: Bearer "),
                // Almost a key.
                way(null, CHAT, "x-api-key: " + KEY.substring(0, KEY.length() - 1)),
                way(null, CHAT, "x-api-key: " + KEY + "0"),
                way(null, CHAT, "x-api-key: " + swapped(KEY)),
                way(null, CHAT, "x-api-key: " + KEY.toLowerCase(Locale.ROOT)),
                way(null, CHAT, "x-api-key: " + KEY.toUpperCase(Locale.ROOT)),
                way(null, CHAT, "x-api-key: MR_" + RANDOM_PART),
                way(null, CHAT, "x-api-key: mr-" + RANDOM_PART),
                way(null, CHAT, "x-api-key: " + RANDOM_PART),
                way(null, CHAT, "x-api-key: \"" + KEY + "\""),
                way(null, CHAT, "x-api-key: " + KEY + ";"),
                way(null, CHAT, "x-api-key: " + KEY + "\u0000"),
                way(null, CHAT, "x-api-key: m\u0433_" + RANDOM_PART),
                way(null, CHAT, "x-api-key: \uff4dr_" + RANDOM_PART),
                way(null, CHAT, "x-api-key: mr\uff3f" + RANDOM_PART),
                way(null, CHAT, "x-api-key: " + KEY.substring(0, 20) + "\u200b" + KEY.substring(20)),
                way(null, CHAT, "x-api-key: mr_%s".formatted(encoded(RANDOM_PART))),
                // The stored hash is no key.
                way(null, CHAT, "x-api-key: " + KeyFormat.hash(KEY)),
                way(null, CHAT, "x-api-key: mr_" + KeyFormat.hash(KEY)),
                way(null, CHAT, "x-api-key: sha256:" + KeyFormat.hash(KEY)),
                // Another scheme.
                way(null, CHAT, "Authorization: " + KEY),
                way(null, CHAT, "Authorization: Basic " + KEY),
                way(null, CHAT, "Authorization: Basic " + base64("web:" + KEY)),
                way(null, CHAT, "Authorization: Token " + KEY),
                way(null, CHAT, "Authorization: Bearer\t" + KEY),
                way(null, CHAT, "Authorization: Bearer Bearer " + KEY),
                way(null, CHAT, "Authorization: Bearer" + KEY),
                way(null, CHAT, "x-api-key: Bearer " + KEY),
                // More than one.
                way(null, CHAT, "x-api-key: " + KEY, "api-key: " + KEY),
                way(null, CHAT, "x-api-key: " + KEY, "api-key: " + UNKNOWN),
                way(null, CHAT, "x-api-key: " + UNKNOWN, "x-api-key: " + KEY),
                way(null, CHAT, "x-api-key: " + KEY, "x-api-key: sk-own"),
                way(null, CHAT, "x-api-key: " + KEY, "X-Millrace-Key: " + OTHERS),
                way(null, CHAT, "Authorization: Bearer " + KEY, "Authorization: Bearer " + KEY),
                way(null, CHAT, "Authorization: Bearer " + KEY + ", Bearer " + KEY),
                way(null, CHAT, "x-api-key: " + KEY + "," + OTHERS),
                way(null, CHAT + "?key=" + KEY, "x-api-key: " + KEY),
                way(null, CHAT + "?key=" + KEY + "&key=" + KEY),
                way(null, CHAT + "?key=" + KEY + "&k%65y=" + OTHERS),
                // Where nobody looks, and from where it would be sent on.
                way(null, CHAT, "Cookie: key=" + KEY),
                way(null, CHAT, "Proxy-Authorization: Bearer " + KEY),
                way(null, CHAT, "x_api_key: " + KEY),
                way(null, CHAT, "x-api-key2: " + KEY),
                way(null, CHAT, KEY + ": 1"),
                way(null, CHAT + "?api_key=" + KEY),
                way(null, CHAT + "?KEY=" + KEY),
                way(null, CHAT + "?access_token=" + KEY),
                way(null, CHAT + "?x=1;key=" + KEY),
                way(null, "/" + KEY + CHAT),
                way(null, CHAT, "x-api-key: " + KEY, "Cookie: key=" + KEY),
                way(null, CHAT, "x-api-key: " + KEY, "x_api_key: " + KEY),
                way(null, CHAT, "x-api-key: " + KEY, "User-Agent: agent/" + OTHERS + "/1"),
                way(null, CHAT + "?note=" + KEY, "x-api-key: " + KEY),
                way(null, CHAT + "?note=%6Dr_" + RANDOM_PART, "x-api-key: " + KEY),
                way(null, "/" + KEY + CHAT, "x-api-key: " + KEY));
    }

    private static Arguments way(String name, String uri, String... headers) {
        return Arguments.of(name, uri, List.of(headers));
    }

    @ParameterizedTest
    @MethodSource("ways")
    void aKeyCountsInItsPlaceAloneAndNothingElseSeesIt(String name, String uri, List<String> headers) {
        HttpRequest request = request(uri, headers);
        Caller caller = ACCESS.identify(request, null, null);
        assertThat(caller.name()).isEqualTo(name);
        if (name == null) {
            assertThat(caller.refusal().status()).isEqualTo(401);
            assertThat(caller.refusal().message()).doesNotContain(RANDOM_PART);
        } else {
            assertThat(caller.refusal()).isNull();
            assertThat(request.uri() + request.headers().entries())
                    .doesNotContain("mr_", RANDOM_PART)
                    .doesNotContainIgnoringCase("x-millrace-key");
        }
    }

    @Test
    void whatIsNoKeyOfOursStaysAsItIs() {
        HttpRequest request = request(
                CHAT + "?a=%20&key=" + KEY + "&key=AIza&&b", List.of("Authorization: Bearer sk-own", "x-api-key: a"));
        ACCESS.identify(request, null, null);
        assertThat(request.uri()).isEqualTo(CHAT + "?a=%20&key=AIza&&b");
        assertThat(request.headers().get("authorization")).isEqualTo("Bearer sk-own");
        assertThat(request.headers().get("x-api-key")).isEqualTo("a");
    }

    @Test
    void bothKeysAreTheSameClientAndToldApart() {
        Caller one = ACCESS.identify(request(CHAT, List.of("x-api-key: " + KEY)), null, null);
        Caller two = ACCESS.identify(request(CHAT, List.of("x-api-key: " + SECOND)), null, null);
        assertThat(one.name()).isEqualTo(two.name());
        assertThat(one.keyId()).matches("[0-9a-f]{8}").isNotEqualTo(two.keyId());
        assertThat(KeyFormat.hash(KEY)).doesNotContain(one.keyId());
    }

    @Test
    void aCertificateStandsForAKeyButNotForAWrongOne() {
        String name = "spiffe://acme/office";
        assertThat(ACCESS.identify(request(CHAT, List.of()), null, name).name()).isEqualTo("office");
        assertThat(ACCESS.identify(request(CHAT, List.of()), null, "spiffe://acme/x")
                        .refusal()
                        .status())
                .isEqualTo(401);
        assertThat(ACCESS.identify(request(CHAT, List.of("x-api-key: " + KEY)), null, name)
                        .name())
                .isEqualTo("web");
        assertThat(ACCESS.identify(request(CHAT, List.of("x-api-key: " + UNKNOWN)), null, name)
                        .refusal()
                        .status())
                .isEqualTo(401);
    }

    @Test
    void aKeyIsForItsAddressesOnly() throws UnknownHostException {
        var web = client("web", key(KEY, null))
                .with(c -> c.from = io.millrace.server.address.AddressSet.of("10.1.0.0/16"));
        var clients = new Clients(List.of(web), settings -> ClientUse.ofNobody());
        var access = new Access(
                RelayConfig.defaults().with(c -> c.clients = ClientAccess.of(Path.of("clients.yaml"))), clients);
        var headers = List.of("x-api-key: " + KEY);
        assertThat(access.identify(request(CHAT, headers), InetAddress.getByName("10.1.2.3"), null)
                        .refusal())
                .isNull();
        for (InetAddress address : new InetAddress[] {InetAddress.getByName("10.2.2.3"), null}) {
            assertThat(access.identify(request(CHAT, headers), address, null)
                            .refusal()
                            .status())
                    .isEqualTo(403);
        }
    }

    /** The least time of many batches, which a busy machine does not change. */
    @Test
    void whatAKeyIsDoesNotShowInTheTimeOfItsSearch() {
        var texts = List.of(KEY, OTHERS, UNKNOWN, EXPIRED, DISABLED);
        var best = new long[texts.size()];
        Arrays.fill(best, Long.MAX_VALUE);
        int found = 0;
        for (int batch = 0; batch < 300; batch++) {
            for (int i = 0; i < best.length; i++) {
                byte[] digest = KeyFormat.digest(texts.get(i), 0);
                long begun = System.nanoTime();
                for (int n = 0; n < 1000; n++) {
                    found += CLIENTS.find(digest, NOW_MS) == null ? 0 : 1;
                }
                best[i] = Math.min(best[i], System.nanoTime() - begun);
            }
        }
        assertThat(found).isEqualTo(2 * 300 * 1000);
        assertThat(Arrays.stream(best).max().getAsLong())
                .isLessThan(3 * Arrays.stream(best).min().getAsLong());
    }

    @Test
    void withoutClientsNothingIsTouched() {
        HttpRequest request = request(CHAT + "?key=" + KEY, List.of("x-api-key: " + KEY));
        var access = new Access(RelayConfig.defaults(), Clients.NONE);
        assertThat(access.identify(request, null, null)).isSameAs(Caller.ANYONE);
        assertThat(request.headers().get("x-api-key")).isEqualTo(KEY);
    }

    private static HttpRequest request(String uri, List<String> headers) {
        var request = new DefaultHttpRequest(
                HttpVersion.HTTP_1_1,
                HttpMethod.POST,
                uri,
                io.netty.handler.codec.http.DefaultHttpHeadersFactory.headersFactory()
                        .withValidation(false)
                        .newHeaders());
        for (String header : headers) {
            String[] field = header.split(": ", 2);
            request.headers().add(field[0], field.length == 1 ? "" : field[1]);
        }
        return request;
    }

    private static String swapped(String key) {
        char a = key.charAt(10);
        char b = key.charAt(11);
        String swapped = key.substring(0, 10) + b + a + key.substring(12);
        return a == b ? key.substring(0, 10) + (a == '0' ? '1' : '0') + key.substring(11) : swapped;
    }

    private static String encoded(String text) {
        return "%" + Integer.toHexString(text.charAt(0)) + URLEncoder.encode(text.substring(1), StandardCharsets.UTF_8);
    }

    private static String base64(String text) {
        return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8));
    }
}
