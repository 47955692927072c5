package io.millrace.server.access;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.Set;
import java.util.zip.CRC32;
import org.junit.jupiter.api.Test;

class KeyFormatTest {
    private static final String DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    @Test
    void aKeyIsItsRandomBitsAndTheirChecksum() {
        var bits = new byte[32];
        new SecureRandom().nextBytes(bits);
        var given = new SecureRandom() {
            @Override
            public void nextBytes(byte[] bytes) {
                System.arraycopy(bits, 0, bytes, 0, bytes.length);
            }
        };
        String text = "mr_" + base62(new BigInteger(1, bits), 43);
        var crc = new CRC32();
        crc.update(text.getBytes(StandardCharsets.US_ASCII));
        assertThat(KeyFormat.generate(given)).isEqualTo(text + base62(BigInteger.valueOf(crc.getValue()), 6));
    }

    @Test
    void smallestAndLargestAreKeysToo() {
        for (byte each : new byte[] {0, -1}) {
            var given = new SecureRandom() {
                @Override
                public void nextBytes(byte[] bytes) {
                    Arrays.fill(bytes, each);
                }
            };
            String key = KeyFormat.generate(given);
            assertThat(key).hasSize(52);
            assertThat(KeyFormat.isKey(key)).isTrue();
        }
    }

    @Test
    void noMistypedCharacterIsAKey() {
        String key = KeyFormat.generate(new SecureRandom());
        for (int i = 0; i < key.length(); i++) {
            for (char c : (DIGITS + "_-. \u0000\u0433\uff10").toCharArray()) {
                String typed = key.substring(0, i) + c + key.substring(i + 1);
                assertThat(KeyFormat.isKey(typed)).as(typed).isEqualTo(typed.equals(key));
            }
        }
    }

    @Test
    void theHashIsThatOfTheText() throws NoSuchAlgorithmException {
        String key = KeyFormat.generate(new SecureRandom());
        byte[] digest = MessageDigest.getInstance("SHA-256").digest(key.getBytes(StandardCharsets.US_ASCII));
        assertThat(KeyFormat.hash(key)).isEqualTo(HexFormat.of().formatHex(digest));
        assertThat(KeyFormat.digest("Bearer " + key, 7)).isEqualTo(digest);
    }

    @Test
    void whatIsNoKeyIsRefusedWithoutBeingRepeated() {
        assertThatThrownBy(() -> KeyFormat.hash("mr_secret")).hasMessageNotContaining("secret");
    }

    @Test
    void isFoundInsideOfText() {
        String key = KeyFormat.generate(new SecureRandom());
        assertThat(KeyFormat.isIn("a mr_ b mr_mr_" + key + "=")).isTrue();
        assertThat(KeyFormat.isIn("mr_" + key.substring(4))).isFalse();
    }

    @Test
    void keysDiffer() {
        Set<String> keys = new HashSet<>();
        var random = new SecureRandom();
        for (int i = 0; i < 10_000; i++) {
            keys.add(KeyFormat.generate(random));
        }
        assertThat(keys).hasSize(10_000);
    }

    private static String base62(BigInteger number, int length) {
        var text = new StringBuilder();
        BigInteger rest = number;
        for (int i = 0; i < length; i++) {
            BigInteger[] parts = rest.divideAndRemainder(BigInteger.valueOf(62));
            text.append(DIGITS.charAt(parts[1].intValue()));
            rest = parts[0];
        }
        return text.reverse().toString();
    }
}
