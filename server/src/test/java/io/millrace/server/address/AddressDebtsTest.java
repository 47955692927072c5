package io.millrace.server.address;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AddressDebtsTest {
    private static final long SECOND = TimeUnit.SECONDS.toNanos(1);

    private long nowNs = Long.MAX_VALUE - 5 * SECOND; // passes the largest number, as System.nanoTime() may
    private final AddressDebts debts = new AddressDebts(() -> nowNs);
    private final long key = key("203.0.113.1");

    @Test
    void timePaysAndSoDoesWhoIsGiven() {
        debts.add(key, AddressDebts.MOST_NS);
        assertThat(debts.isOver(key)).isFalse();
        debts.add(key, 2 * SECOND);
        assertThat(debts.isOver(key)).isTrue();
        debts.add(key, -SECOND);
        assertThat(debts.isOver(key)).isTrue();
        nowNs += SECOND;
        assertThat(debts.isOver(key)).isFalse();
    }

    @Test
    void nobodyHasCredit() {
        debts.add(key, -100 * SECOND);
        debts.add(key, AddressDebts.MOST_NS + 1);
        assertThat(debts.isOver(key)).isTrue();
    }

    @Test
    void addressIsServedAgainAfterSeconds() {
        for (int i = 0; i < 1000; i++) {
            debts.add(key, SECOND);
        }
        nowNs += AddressDebts.MOST_NS - 1;
        assertThat(debts.isOver(key)).isTrue();
        nowNs += 1;
        assertThat(debts.isOver(key)).isFalse();
    }

    @Test
    void addressesDoNotPayForEachOther() {
        for (int i = 0; i < 50; i++) {
            debts.add(key("203.0.113." + i), 2 * AddressDebts.MOST_NS);
        }
        int over = 0;
        for (int i = 0; i < 200; i++) {
            over += debts.isOver(key("198.51.100." + i)) ? 1 : 0;
        }
        assertThat(over).isLessThan(5); // one of 6,700 shares both cells
    }

    /** Some of them share one of the two cells with the first. */
    @Test
    void whoOwesNothingPaysForNobody() {
        debts.add(key, 2 * AddressDebts.MOST_NS);
        for (int i = 0; i < 20_000; i++) {
            long other = key("10.0." + (i >> 8) + "." + (i & 255));
            if (!debts.isOver(other)) {
                debts.add(other, -AddressDebts.MOST_NS);
            }
        }
        assertThat(debts.isOver(key)).isTrue();
    }

    @ParameterizedTest
    @CsvSource({
        "2001:db8:0:1::1, 2001:db8:0:1:ffff::2, true",
        "2001:db8:0:1::1, 2001:db8:0:2::1, false",
        "203.0.113.1, 203.0.113.2, false",
        "::ffff:203.0.113.1, 203.0.113.1, true",
    })
    void aNetworkOfIpv6IsOneAddress(String one, String other, boolean same) {
        assertThat(key(one) == key(other)).isEqualTo(same);
    }

    @Test
    void clientOfAUnixSocketHasNoDebts() {
        assertThat(AddressDebts.key(null)).isEqualTo(AddressDebts.NONE);
        assertThat(key("::1")).isNotEqualTo(AddressDebts.NONE);
        debts.add(AddressDebts.NONE, 2 * AddressDebts.MOST_NS);
        assertThat(debts.isOver(AddressDebts.NONE)).isFalse();
    }

    private static long key(String address) {
        try {
            return AddressDebts.key(InetAddress.getByName(address));
        } catch (UnknownHostException e) {
            throw new AssertionError(e);
        }
    }
}
