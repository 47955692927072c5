package io.millrace.server.address;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.api.FuzzedDataProvider;
import com.code_intelligence.jazzer.junit.DictionaryEntries;
import com.code_intelligence.jazzer.junit.FuzzTest;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import org.junit.jupiter.api.Tag;

/** Any bytes are one head, the beginning of one, or refused; which of these does not depend on how they are cut. */
@Tag("fuzz")
class ProxyHeadFuzzTest {
    private static final int MAX_BYTES = 2100;

    private enum Verdict {
        MORE,
        REFUSED,
        HEAD
    }

    @DictionaryEntries({
        "PROXY ",
        "TCP4",
        "TCP6",
        "UNKNOWN",
        " 203.0.113.1",
        " ::ffff:1.2.3.4",
        " 65535",
        "\\x0D\\x0A",
        "\\x0D\\x0A\\x0D\\x0A\\x00\\x0D\\x0AQUIT\\x0A",
        "\\x21\\x11\\x00\\x0C",
        "\\x21\\x21\\x00\\x24",
        "\\x20\\x00\\x00\\x00"
    })
    @FuzzTest(maxDuration = "30s")
    void aVerdictStays(FuzzedDataProvider fuzz) {
        ByteBuf all = Unpooled.wrappedBuffer(fuzz.consumeBytes(MAX_BYTES));
        Verdict before = Verdict.MORE;
        int length = 0;
        for (int cut = 0; cut <= all.readableBytes(); cut++) {
            Verdict now = Verdict.MORE;
            try {
                ProxyHead head = ProxyHead.read(all.slice(0, cut));
                if (head != null) {
                    now = Verdict.HEAD;
                    assertThat(head.length()).isBetween(15, Math.min(cut, ProxyHead.MAX_BYTES));
                    assertThat(length == 0 || length == head.length()).isTrue();
                    length = head.length();
                }
            } catch (ProxyHead.Malformed e) {
                now = Verdict.REFUSED;
            }
            if (before != Verdict.MORE) {
                assertThat(now).isEqualTo(before);
            }
            before = now;
        }
        if (before == Verdict.MORE) {
            assertThat(all.readableBytes()).isLessThan(ProxyHead.MAX_BYTES);
        }
    }
}
