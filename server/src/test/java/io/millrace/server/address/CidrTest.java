package io.millrace.server.address;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetAddress;
import java.net.UnknownHostException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CidrTest {
    @ParameterizedTest
    @CsvSource({
        "10.0.0.0/8, 10.255.255.255, true",
        "10.0.0.0/8, 11.0.0.0, false",
        "10.0.0.0/8, ::ffff:10.1.2.3, true",
        "10.0.0.0/8, ::10.1.2.3, false",
        "192.0.2.4/30, 192.0.2.7, true",
        "192.0.2.4/30, 192.0.2.8, false",
        "192.0.2.4/30, 192.0.2.3, false",
        "192.0.2.1, 192.0.2.1, true",
        "192.0.2.1, 192.0.2.2, false",
        "255.255.255.255/32, 255.255.255.255, true",
        "0.0.0.0/0, 203.0.113.9, true",
        "0.0.0.0/0, 2001:db8::1, false",
        "::/0, 2001:db8::1, true",
        "::/0, 203.0.113.9, false",
        "2001:db8::/32, 2001:db8:ffff:ffff:ffff:ffff:ffff:ffff, true",
        "2001:db8::/32, 2001:db9::, false",
        "2001:db8:0:1::/64, 2001:db8:0:1:8000::, true",
        "2001:db8:0:1::/64, 2001:db8:0:0:ffff::, false",
        "2001:db8::8/125, 2001:db8::f, true",
        "2001:db8::8/125, 2001:db8::10, false",
        "2001:db8:0:0:8000::/65, 2001:db8::8000:0:0:1, true",
        "2001:db8:0:0:8000::/65, 2001:db8::1, false",
        "::1, ::1, true",
        "::ffff:10.0.0.0/104, 10.9.9.9, true",
        "::ffff:0:0/96, 10.9.9.9, true",
        "::ffff:a00:1, 10.0.0.1, true",
    })
    void aRangeHoldsTheAddressesWithItsFirstBits(String range, String address, boolean expected)
            throws UnknownHostException {
        assertThat(Cidr.parse(range).contains(InetAddress.getByName(address))).isEqualTo(expected);
        assertThat(AddressSet.of("198.51.100.7", range).contains(InetAddress.getByName(address)))
                .isEqualTo(expected);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                " ",
                "/8",
                "10.0.0.0/",
                "10.0.0.0/33",
                "10.0.0.0/-1",
                "10.0.0.0/08",
                "10.0.0.0/8 ",
                "10.0.0.0/0x8",
                "10.0.0/8",
                "10",
                "010.0.0.0/8",
                "10.0.0.0.0/8",
                "10.0.0.256",
                "10.0.0.1e",
                "localhost",
                "::/129",
                "2001:db8::1::/32",
                "2001:db8",
                "2001:db8:::1",
                "1:2:3:4:5:6:7",
                "1:2:3:4:5:6:7:8:9",
                "12345::",
                "::g",
                "fe80::1%eth0",
                "[::1]",
                ":1::",
                "1:",
                "::1.2.3",
                "::1.2.3.4:5",
                "1:2:3:4:5:6:7:1.2.3.4",
                "::ffff:10.0.0.0/95",
                "unix/1",
                "UNIX",
                "٠.0.0.0",
                "::٠"
            })
    void whatIsNoRangeIsRefused(String text) {
        assertThatThrownBy(() -> Cidr.parse(text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("'" + text + "' (expected: ");
    }

    @ParameterizedTest
    @ValueSource(strings = {"10.0.0.1/8", "192.0.2.4/29", "2001:db8::1/64", "2001:db8:0:1::/63", "::1/0"})
    void bitsBehindThePrefixAreRefused(String text) {
        assertThatThrownBy(() -> Cidr.parse(text)).hasMessageContaining("has bits behind its prefix");
    }

    @ParameterizedTest
    @CsvSource({
        "::, 0:0:0:0:0:0:0:0",
        "::1, 0:0:0:0:0:0:0:1",
        "1::, 1:0:0:0:0:0:0:0",
        "1::8, 1:0:0:0:0:0:0:8",
        "1:2:3:4:5:6:7::, 1:2:3:4:5:6:7:0",
        "::2:3:4:5:6:7:8, 0:2:3:4:5:6:7:8",
        "ABCD:ef01::, abcd:ef01:0:0:0:0:0:0",
        "64:ff9b::192.0.2.33, 64:ff9b:0:0:0:0:c000:221",
        "1:2:3:4:5:6:1.2.3.4, 1:2:3:4:5:6:102:304",
        "::ffff:192.0.2.1, 192.0.2.1",
        "0.0.0.0, 0.0.0.0",
    })
    void addressesAreReadAsTheStandardHasThem(String text, String expected) throws UnknownHostException {
        assertThat(AddressText.parse(text)).isEqualTo(InetAddress.getByName(expected));
    }

    @Test
    void aUnixClientHasNoAddress() throws UnknownHostException {
        assertThat(Cidr.parse("unix").contains(null)).isTrue();
        assertThat(Cidr.parse("unix").contains(InetAddress.getByName("0.0.0.0")))
                .isFalse();
        assertThat(AddressSet.of("10.0.0.0/8", "unix").contains(null)).isTrue();
        assertThat(AddressSet.of("0.0.0.0/0", "::/0").contains(null)).isFalse();
        assertThat(AddressSet.NONE.contains(null)).isFalse();
    }

    @Test
    void rangesAreTheSameWhateverTheirSpelling() {
        assertThat(Cidr.parse("2001:DB8::/32")).isEqualTo(Cidr.parse("2001:db8:0::/32"));
        assertThat(Cidr.parse("10.0.0.0/8")).isEqualTo(Cidr.parse("::ffff:10.0.0.0/104"));
        assertThat(Cidr.parse("10.0.0.0/8")).isNotEqualTo(Cidr.parse("10.0.0.0/9"));
        assertThat(Cidr.parse("10.0.0.0/8")).hasToString("10.0.0.0/8");
    }
}
