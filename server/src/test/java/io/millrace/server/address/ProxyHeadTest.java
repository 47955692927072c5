package io.millrace.server.address;

import static io.millrace.server.address.ProxyHeads.ascii;
import static io.millrace.server.address.ProxyHeads.bytes;
import static io.millrace.server.address.ProxyHeads.v2;
import static io.millrace.server.address.ProxyHeads.v2OfLength;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class ProxyHeadTest {
    private static final byte[] TCP4 = bytes(203, 0, 113, 1, 10, 0, 0, 1, 0x12, 0x67, 0x01, 0xbb);
    private static final byte[] TCP6 = new byte[36];
    private static final byte[] UNIX = new byte[216];

    static {
        System.arraycopy(bytes(0x20, 0x01, 0x0d, 0xb8), 0, TCP6, 0, 4);
        TCP6[15] = 7;
    }

    static Stream<Arguments> heads() throws UnknownHostException {
        var mapped = new byte[36];
        System.arraycopy(bytes(0xff, 0xff, 203, 0, 113, 1), 0, mapped, 10, 6);
        return Stream.of(
                Arguments.of("v1 IPv4", ascii("PROXY TCP4 203.0.113.1 10.0.0.1 4711 443\r\n"), "203.0.113.1"),
                Arguments.of("v1 IPv6", ascii("PROXY TCP6 2001:db8::7 ::1 4711 443\r\n"), "2001:db8::7"),
                Arguments.of("v1 mapped", ascii("PROXY TCP6 ::ffff:203.0.113.1 ::1 0 65535\r\n"), "203.0.113.1"),
                Arguments.of("v1 unknown", ascii("PROXY UNKNOWN\r\n"), null),
                Arguments.of("v1 unknown with more", ascii("PROXY UNKNOWN ff::1 what ever\r\n"), null),
                Arguments.of(
                        "v1 longest",
                        ascii("PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535" + " ".repeat(44) + "\r\n"),
                        null),
                Arguments.of("v2 IPv4", v2(0x21, 0x11, TCP4), "203.0.113.1"),
                Arguments.of("v2 IPv6", v2(0x21, 0x21, TCP6), "2001:db8::7"),
                Arguments.of("v2 mapped", v2(0x21, 0x21, mapped), "203.0.113.1"),
                Arguments.of("v2 with TLVs", v2(0x21, 0x11, TCP4, bytes(0x20, 0, 3, 1, 2, 3)), "203.0.113.1"),
                Arguments.of("v2 with bad TLVs", v2(0x21, 0x11, TCP4, bytes(0x20, 0xff, 0xff)), "203.0.113.1"),
                Arguments.of("v2 longest", v2(0x21, 0x11, TCP4, new byte[2020]), "203.0.113.1"),
                Arguments.of("v2 local", v2(0x20, 0x00), null),
                Arguments.of("v2 local with addresses", v2(0x20, 0x11, TCP4), null),
                Arguments.of("v2 local of an unknown family", v2(0x20, 0x7f, bytes(1, 2)), null),
                Arguments.of("v2 unspecified", v2(0x21, 0x00), null),
                Arguments.of("v2 unspecified with more", v2(0x21, 0x00, TCP4), null),
                Arguments.of("v2 unix", v2(0x21, 0x31, UNIX), null));
    }

    static Stream<Arguments> malformed() {
        return Stream.of(
                Arguments.of("HTTP", ascii("GET / HTTP/1.1\r\n\r\n")),
                Arguments.of("POST, which begins as it does", ascii("POST / HTTP/1.1\r\n\r\n")),
                Arguments.of("TLS", bytes(0x16, 0x03, 0x01, 0x02, 0x00)),
                Arguments.of("lower case", ascii("proxy TCP4 203.0.113.1 10.0.0.1 4711 443\r\n")),
                Arguments.of("tab", ascii("PROXY\tTCP4 203.0.113.1 10.0.0.1 4711 443\r\n")),
                Arguments.of("two spaces", ascii("PROXY TCP4  203.0.113.1 10.0.0.1 4711 443\r\n")),
                Arguments.of("space at the end", ascii("PROXY TCP4 203.0.113.1 10.0.0.1 4711 443 \r\n")),
                Arguments.of("bare LF", ascii("PROXY TCP4 203.0.113.1 10.0.0.1 4711 443\n")),
                Arguments.of("CR inside", ascii("PROXY TCP4 203.0.113.1 10.0.0.1 4711\r 443\r\n")),
                Arguments.of("NUL inside", ascii("PROXY TCP4 203.0.113.1\0 10.0.0.1 4711 443\r\n")),
                Arguments.of("no protocol", ascii("PROXY \r\n")),
                Arguments.of("UDP", ascii("PROXY UDP4 203.0.113.1 10.0.0.1 4711 443\r\n")),
                Arguments.of("unknown in lower case", ascii("PROXY unknown\r\n")),
                Arguments.of("unknown with a tail", ascii("PROXY UNKNOWNS\r\n")),
                Arguments.of("name", ascii("PROXY TCP4 localhost 10.0.0.1 4711 443\r\n")),
                Arguments.of("octal", ascii("PROXY TCP4 0203.0.113.1 10.0.0.1 4711 443\r\n")),
                Arguments.of("IPv6 as TCP4", ascii("PROXY TCP4 2001:db8::7 10.0.0.1 4711 443\r\n")),
                Arguments.of("IPv4 as TCP6", ascii("PROXY TCP6 203.0.113.1 ::1 4711 443\r\n")),
                Arguments.of("bad destination", ascii("PROXY TCP4 203.0.113.1 10.0.0.256 4711 443\r\n")),
                Arguments.of("port too high", ascii("PROXY TCP4 203.0.113.1 10.0.0.1 65536 443\r\n")),
                Arguments.of("port too long", ascii("PROXY TCP4 203.0.113.1 10.0.0.1 4711 000443\r\n")),
                Arguments.of("port with a zero", ascii("PROXY TCP4 203.0.113.1 10.0.0.1 04711 443\r\n")),
                Arguments.of("port with a sign", ascii("PROXY TCP4 203.0.113.1 10.0.0.1 +4711 443\r\n")),
                Arguments.of("no port", ascii("PROXY TCP4 203.0.113.1 10.0.0.1 4711\r\n")),
                Arguments.of("too long", ascii("PROXY UNKNOWN " + "x".repeat(92) + "\r\n")),
                Arguments.of("no end", ascii("PROXY UNKNOWN " + "x".repeat(200))),
                Arguments.of("v2 with another signature", ascii("\r\n\r\n\0\r\nQUIT\r")),
                Arguments.of("v2 of version 1", v2(0x11, 0x11, TCP4)),
                Arguments.of("v2 of version 3", v2(0x31, 0x11, TCP4)),
                Arguments.of("v2 with command 2", v2(0x22, 0x11, TCP4)),
                Arguments.of("v2 datagram", v2(0x21, 0x12, TCP4)),
                Arguments.of("v2 IPv6 datagram", v2(0x21, 0x22, TCP6)),
                Arguments.of("v2 unknown family", v2(0x21, 0x41, TCP4)),
                Arguments.of("v2 family without a protocol", v2(0x21, 0x10, TCP4)),
                Arguments.of("v2 too short for IPv4", v2OfLength(0x21, 0x11, 11)),
                Arguments.of("v2 too short for IPv6", v2OfLength(0x21, 0x21, 35)),
                Arguments.of("v2 too short for unix", v2OfLength(0x21, 0x31, 215)),
                Arguments.of("v2 too long", v2OfLength(0x21, 0x11, 2033)),
                Arguments.of("v2 local too long", v2OfLength(0x20, 0x00, 65_535)));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("heads")
    void headsAreReadHoweverTheyAreCut(String name, byte[] head, String expected) throws Exception {
        InetAddress source = expected == null ? null : InetAddress.getByName(expected);
        byte[] rest = ascii("GET / HTTP/1.1\r\n");
        ByteBuf all = Unpooled.wrappedBuffer(ascii("skipped"), head, rest).skipBytes(7);
        for (int cut = 0; cut < head.length; cut++) {
            assertThat(ProxyHead.read(all.slice(all.readerIndex(), cut)))
                    .as("cut at %d", cut)
                    .isNull();
        }
        for (int cut = head.length; cut <= all.readableBytes(); cut++) {
            assertThat(ProxyHead.read(all.slice(all.readerIndex(), cut)))
                    .as("cut at %d", cut)
                    .isEqualTo(new ProxyHead(head.length, source));
        }
        assertThat(all.readableBytes()).isEqualTo(head.length + rest.length);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("malformed")
    void whatIsNoHeadIsRefused(String name, byte[] bytes) {
        assertThatThrownBy(() -> ProxyHead.read(ProxyHeads.buffer(bytes))).isInstanceOf(ProxyHead.Malformed.class);
    }

    /** What has been taken for a beginning may be refused later, but what has been refused stays so. */
    @ParameterizedTest(name = "{0}")
    @MethodSource("malformed")
    void aRefusalDoesNotDependOnTheCut(String name, byte[] bytes) {
        boolean refused = false;
        for (int cut = 0; cut <= bytes.length; cut++) {
            boolean now = isRefused(bytes, cut);
            assertThat(refused && !now).as("cut at %d", cut).isFalse();
            refused = now;
        }
        assertThat(refused).isTrue();
    }

    private static boolean isRefused(byte[] bytes, int length) {
        try {
            assertThat(ProxyHead.read(Unpooled.wrappedBuffer(bytes, 0, length))).isNull();
            return false;
        } catch (ProxyHead.Malformed e) {
            return true;
        }
    }
}
