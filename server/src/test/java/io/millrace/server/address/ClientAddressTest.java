package io.millrace.server.address;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.handler.codec.http.DefaultHttpHeaders;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The proxies of these tests are 10.0.0.0/8 and 2001:db8:ffff::/48. */
class ClientAddressTest {
    private static final AddressSet PROXIES = AddressSet.of("10.0.0.0/8", "2001:db8:ffff::/48");

    @ParameterizedTest(name = "{0}, X-Forwarded-For: {1}")
    @CsvSource(
            delimiter = '|',
            value = {
                // peer | X-Forwarded-For, lines cut at / | the client
                "203.0.113.1 | 198.51.100.1 | 203.0.113.1",
                "203.0.113.1 | 10.0.0.1 | 203.0.113.1",
                "10.0.0.1 | '' | 10.0.0.1",
                "10.0.0.1 | 198.51.100.1 | 198.51.100.1",
                "10.0.0.1 | 1.2.3.4, 198.51.100.1 | 198.51.100.1",
                "10.0.0.1 | garbage, 198.51.100.1 | 198.51.100.1",
                "10.0.0.1 | 198.51.100.1, 10.0.0.2 | 198.51.100.1",
                "10.0.0.1 | 1.2.3.4, 198.51.100.1,10.0.0.3 ,10.0.0.2 | 198.51.100.1",
                "10.0.0.1 | 198.51.100.1 / 10.0.0.2 | 198.51.100.1",
                "10.0.0.1 | 1.2.3.4 / 198.51.100.1, 10.0.0.3 / 10.0.0.2 | 198.51.100.1",
                "10.0.0.1 | 10.0.0.3, 10.0.0.2 | 10.0.0.3",
                "10.0.0.1 | 198.51.100.1, unknown | 10.0.0.1",
                "10.0.0.1 | 198.51.100.1, _hidden, 10.0.0.2 | 10.0.0.2",
                "10.0.0.1 | 198.51.100.1, , 10.0.0.2 | 10.0.0.2",
                "10.0.0.1 | 198.51.100.1, 10.0.0.256 | 10.0.0.1",
                "10.0.0.1 | 198.51.100.1; | 10.0.0.1",
                "10.0.0.1 | 198.51.100.1, 10.0.0.2, | 10.0.0.1",
                "10.0.0.1 | 198.51.100.1:4711 | 198.51.100.1",
                "10.0.0.1 | 198.51.100.1: | 10.0.0.1",
                "10.0.0.1 | 198.51.100.1:x | 10.0.0.1",
                "10.0.0.1 | 2001:db8::7 | 2001:db8::7",
                "10.0.0.1 | [2001:db8::7] | 2001:db8::7",
                "10.0.0.1 | [2001:db8::7]:443 | 2001:db8::7",
                "10.0.0.1 | [198.51.100.1] | 10.0.0.1",
                "10.0.0.1 | [2001:db8::7 | 10.0.0.1",
                "10.0.0.1 | ::ffff:198.51.100.1, ::ffff:10.0.0.2 | 198.51.100.1",
                "::ffff:10.0.0.1 | 198.51.100.1 | 198.51.100.1",
                "2001:db8:ffff::1 | 198.51.100.1, 2001:db8:ffff::2 | 198.51.100.1",
                "2001:db8:fffe::1 | 198.51.100.1 | 2001:db8:fffe::1",
                "10.0.0.1 | 198.51.100.1\u00a0 | 10.0.0.1",
            })
    void theClientIsTheFirstFromTheRightThatIsNoTrustedProxy(String peer, String field, String expected)
            throws UnknownHostException {
        assertThat(client(peer, "x-forwarded-for", field)).isEqualTo(InetAddress.getByName(expected));
    }

    @ParameterizedTest(name = "{0}, Forwarded: {1}")
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '\'',
            value = {
                "203.0.113.1 | for=198.51.100.1 | 203.0.113.1",
                "10.0.0.1 | for=198.51.100.1 | 198.51.100.1",
                "10.0.0.1 | For=198.51.100.1;proto=https;by=10.0.0.1 | 198.51.100.1",
                "10.0.0.1 | proto=https; for=198.51.100.1 | 198.51.100.1",
                "10.0.0.1 | for=\"198.51.100.1:4711\" | 198.51.100.1",
                "10.0.0.1 | for=\"[2001:db8::7]:4711\" | 2001:db8::7",
                "10.0.0.1 | for=\"[2001:db8::7]\";proto=http, for=10.0.0.2 | 2001:db8::7",
                "10.0.0.1 | for=1.2.3.4, for=198.51.100.1 / for=10.0.0.2 | 198.51.100.1",
                "10.0.0.1 | for=\"1.2.3.4, for=198.51.100.1 | 198.51.100.1",
                "10.0.0.1 | for=198.51.100.1, for=unknown | 10.0.0.1",
                "10.0.0.1 | for=198.51.100.1, for=_gazonk, for=10.0.0.2 | 10.0.0.2",
                "10.0.0.1 | for=198.51.100.1, proto=https | 10.0.0.1",
                "10.0.0.1 | for=198.51.100.1;for=10.0.0.2 | 10.0.0.1",
                "10.0.0.1 | for=\"198.51.100.1 | 10.0.0.1",
                "10.0.0.1 | for=198.51.100.1\" | 10.0.0.1",
                "10.0.0.1 | 198.51.100.1 | 10.0.0.1",
                "10.0.0.1 | x=198.51.100.1 | 10.0.0.1",
            })
    void forwardedIsReadInTheSameWay(String peer, String field, String expected) throws UnknownHostException {
        assertThat(client(peer, "forwarded", field)).isEqualTo(InetAddress.getByName(expected));
    }

    @Test
    void forwardedIsNotReadBesideXForwardedFor() throws UnknownHostException {
        var headers = new DefaultHttpHeaders()
                .add("forwarded", "for=1.2.3.4")
                .add("x-real-ip", "1.2.3.5")
                .add("x-forwarded-for", "198.51.100.1");
        InetAddress peer = InetAddress.getByName("10.0.0.1");
        assertThat(ClientAddress.of(peer, headers, PROXIES)).isEqualTo(InetAddress.getByName("198.51.100.1"));
        headers.set("x-forwarded-for", "unknown");
        assertThat(ClientAddress.of(peer, headers, PROXIES)).isEqualTo(peer);
        headers.remove("x-forwarded-for").remove("forwarded");
        assertThat(ClientAddress.of(peer, headers, PROXIES)).isEqualTo(peer);
    }

    @Test
    void noMoreThanTenProxiesAreBelieved() throws UnknownHostException {
        String ten = String.join(", ", Collections.nCopies(9, "10.0.0.2")) + ", 10.0.0.3";
        assertThat(client("10.0.0.1", "x-forwarded-for", "198.51.100.1, " + ten))
                .isEqualTo(InetAddress.getByName("10.0.0.2"));
        String nine = String.join(", ", Collections.nCopies(9, "10.0.0.2"));
        assertThat(client("10.0.0.1", "x-forwarded-for", "198.51.100.1, " + nine))
                .isEqualTo(InetAddress.getByName("198.51.100.1"));
    }

    @Test
    void aUnixClientIsBelievedOnlyIfItIsListed() throws UnknownHostException {
        var headers = new DefaultHttpHeaders().add("x-forwarded-for", "198.51.100.1");
        assertThat(ClientAddress.of((InetAddress) null, headers, PROXIES)).isNull();
        assertThat(ClientAddress.of((InetAddress) null, headers, AddressSet.of("unix")))
                .isEqualTo(InetAddress.getByName("198.51.100.1"));
    }

    @Test
    void logsHaveTheShortestForm() throws UnknownHostException {
        assertThat(ClientAddress.text(InetAddress.getByName("2001:db8:0:0:0:0:0:1")))
                .isEqualTo("2001:db8::1");
        assertThat(ClientAddress.text(InetAddress.getByName("192.0.2.1"))).isEqualTo("192.0.2.1");
        assertThat(ClientAddress.text(null)).isEqualTo("unix");
    }

    private static InetAddress client(String peer, String name, String lines) throws UnknownHostException {
        var headers = new DefaultHttpHeaders();
        for (String line : List.of(lines.split("/"))) {
            headers.add(name, line.trim());
        }
        return ClientAddress.of(InetAddress.getByName(peer), headers, PROXIES);
    }
}
