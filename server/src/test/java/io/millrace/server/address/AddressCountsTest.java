package io.millrace.server.address;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.server.address.AddressCounts.Place;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AddressCountsTest {
    private final AddressCounts counts = new AddressCounts();

    @Test
    void anAddressHasAsManyAsItMayAndGetsMoreWhenOneIsGivenBack() throws UnknownHostException {
        Place first = take("203.0.113.1", 2);
        assertThat(take("203.0.113.1", 2)).isNotNull();
        assertThat(take("203.0.113.1", 2)).isNull();
        assertThat(take("203.0.113.2", 2)).isNotNull();
        first.giveBack();
        first.giveBack();
        assertThat(take("203.0.113.1", 2)).isNotNull();
        assertThat(take("203.0.113.1", 2)).isNull();
    }

    @Test
    void addressesOfOneIpv6NetworkCountTogether() throws UnknownHostException {
        assertThat(take("2001:db8:0:1::1", 1)).isNotNull();
        assertThat(take("2001:db8:0:1:ffff::2", 1)).isNull();
        assertThat(take("2001:db8:0:2::1", 1)).isNotNull();
    }

    @Test
    void ipv4MappedToIpv6IsTheSameAddress() throws UnknownHostException {
        assertThat(take("203.0.113.1", 1)).isNotNull();
        assertThat(take("::ffff:203.0.113.1", 1)).isNull();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "127.0.0.1",
                "10.1.2.3",
                "172.16.0.1",
                "172.31.255.255",
                "192.168.1.1",
                "100.64.0.1",
                "100.127.255.255",
                "169.254.169.254",
                "0.0.0.0",
                "::1",
                "::",
                "fd00::1",
                "fe80::1",
                "::ffff:10.0.0.1",
                "198.51.100.1"
            })
    void privateAddressesAndProxiesAreNotCounted(String address) throws UnknownHostException {
        for (int i = 0; i < 3; i++) {
            assertThat(take(address, 1)).isNotNull();
        }
        assertThat(counts.size()).isZero();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "172.15.255.255",
                "172.32.0.0",
                "100.63.255.255",
                "100.128.0.0",
                "9.255.255.255",
                "11.0.0.0",
                "192.167.255.255",
                "192.169.0.0",
                "2001:db8::1",
                "2600::1",
                "64.0.0.1"
            })
    void publicAddressesAreCounted(String address) throws UnknownHostException {
        assertThat(take(address, 1)).isNotNull();
        assertThat(take(address, 1)).isNull();
    }

    @Test
    void noLimitCountsNothing() throws UnknownHostException {
        for (int i = 0; i < 3; i++) {
            assertThat(take("203.0.113.1", 0)).isNotNull();
        }
        assertThat(counts.take(null, AddressSet.NONE, 1)).isNotNull();
        assertThat(counts.take(null, AddressSet.NONE, 1)).isNotNull();
        assertThat(counts.size()).isZero();
    }

    @Test
    void addressesThatLeftAreForgotten() throws UnknownHostException {
        var places = new ArrayList<Place>();
        for (int i = 0; i < 10_000; i++) {
            places.add(take("203." + i % 100 + "." + i / 100 + ".1", 5));
        }
        assertThat(counts.size()).isEqualTo(10_000);
        places.forEach(Place::giveBack);
        assertThat(counts.size()).isZero();
    }

    @Test
    void threadsNeverTakeMoreThanTheLimit() throws InterruptedException, ExecutionException {
        var pool = Executors.newFixedThreadPool(4);
        try {
            Callable<List<Place>> taking = () -> {
                var mine = new ArrayList<Place>();
                for (int i = 0; i < 5_000; i++) {
                    Place place = take("203.0.113.1", 100);
                    if (place != null) {
                        mine.add(place);
                    }
                    if (mine.size() > 20) {
                        mine.remove(0).giveBack();
                    }
                }
                return mine;
            };
            int held = 0;
            var left = new ArrayList<Place>();
            for (Future<List<Place>> each : pool.invokeAll(List.of(taking, taking, taking, taking))) {
                held += each.get().size();
                left.addAll(each.get());
            }
            assertThat(held).isBetween(1, 84);
            left.forEach(Place::giveBack);
            assertThat(counts.size()).isZero();
        } finally {
            pool.shutdownNow();
        }
    }

    private Place take(String address, int most) throws UnknownHostException {
        return counts.take(InetAddress.getByName(address), AddressSet.of("198.51.100.1"), most);
    }
}
