package io.millrace.server.address;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.api.FuzzedDataProvider;
import com.code_intelligence.jazzer.junit.DictionaryEntries;
import com.code_intelligence.jazzer.junit.FuzzTest;
import io.netty.handler.codec.http.DefaultHttpHeadersFactory;
import io.netty.util.NetUtil;
import java.net.InetAddress;
import org.junit.jupiter.api.Tag;

/**
 * For any fields of proxies, a request has a client, and an address that was read is the same when it is read again.
 */
@Tag("fuzz")
class AddressFuzzTest {
    private static final AddressSet PROXIES = AddressSet.of("10.0.0.0/8", "::/16", "unix");

    @DictionaryEntries({"10.0.0.1", ", ", "for=", "for=\\x22[", "]:80\\x22", "::ffff:10.1.1.1", "1.2.3.4", "::1", ";"})
    @FuzzTest(maxDuration = "30s")
    void everyTextHasAnAnswer(FuzzedDataProvider fuzz) {
        boolean standard = fuzz.consumeBoolean();
        String text = fuzz.consumeString(200);
        InetAddress address = AddressText.parse(text);
        if (address != null) {
            // Netty reads dots in IPv6 only where IPv4 is mapped; RFC 4291 section 2.2 has them in any address.
            boolean mixed = text.contains(":") && text.contains(".");
            assertThat(mixed || NetUtil.createByteArrayFromIpAddressString(text) != null)
                    .isTrue();
            assertThat(AddressText.parse(NetUtil.toAddressString(address))).isEqualTo(address);
            assertThat(Cidr.parse(text).contains(address)).isTrue();
        }
        var headers = DefaultHttpHeadersFactory.headersFactory()
                .withValidation(false)
                .newHeaders()
                .add(standard ? "forwarded" : "x-forwarded-for", text);
        ClientAddress.of((InetAddress) null, headers, PROXIES);
    }
}
