package io.millrace.codec.sse;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SseFrameDecoderTest {
    private static final ByteBufAllocator ALLOC = UnpooledByteBufAllocator.DEFAULT;
    private static final String BOM = "\u00EF\u00BB\u00BF";

    private final FrameCalls calls = new FrameCalls();

    @Test
    void endsAFrameAtABlankLine() {
        assertThat(frames("data: a\n\ndata: b\n\n")).containsExactly("data: a\n\n", "data: b\n\n");
    }

    @Test
    void takesEveryMixOfLineEnds() {
        assertThat(frames("a\r\n\r\nb\r\rc\n\rd\r\n\ne\n\r\nf\r\n\rg\r\n\r\n"))
                .containsExactly("a\r\n\r\n", "b\r\r", "c\n\r", "d\r\n\n", "e\n\r\n", "f\r\n\r", "g\r\n\r\n");
    }

    @Test
    void reportsEachFurtherBlankLineAsAFrameOfItsOwn() {
        assertThat(frames("a\n\n\n\r\n\rb\n\n")).containsExactly("a\n\n", "\n", "\r\n", "\r", "b\n\n");
    }

    @Test
    void takesNothingElseForALineEnd() {
        String text = "a\u0000\t\u000B\u000C\u000E\u0085b\u008A\u008D\n\n";
        assertThat(frames(text)).containsExactly(text);
    }

    @Test
    void endsTheFrameAtACarriageReturnWithoutWaiting() {
        try (var decoder = new SseFrameDecoder(ALLOC)) {
            feed(decoder, "a\r\r");
            assertThat(calls.wholeFrames).isEqualTo(1);
            assertThat(decoder.midFrame()).isFalse();
            assertThat(decoder.awaitsLineFeed()).isTrue();
            feed(decoder, "");
            assertThat(decoder.awaitsLineFeed()).isTrue();
            feed(decoder, "\nb");
            assertThat(calls.lateLineFeeds).isEqualTo(1);
            assertThat(decoder.awaitsLineFeed()).isFalse();
            assertThat(decoder.heldBytes()).isEqualTo(1);
        }
        assertThat(texts()).containsExactly("a\r\r\n");
    }

    @Test
    void doesNotTakeTheNextBlankLineForALateLineFeed() {
        try (var decoder = new SseFrameDecoder(ALLOC)) {
            feed(decoder, "a\r\r\n");
            assertThat(decoder.awaitsLineFeed()).isFalse();
            feed(decoder, "\n");
        }
        assertThat(texts()).containsExactly("a\r\r\n", "\n");
    }

    @Test
    void reportsALateLineFeedAfterALastPiece() {
        try (var decoder = new SseFrameDecoder(ALLOC, 3)) {
            feed(decoder, "abcdef\r");
            feed(decoder, "\r");
            assertThat(decoder.awaitsLineFeed()).isTrue();
            assertThat(calls.open()).isFalse();
            feed(decoder, "\n");
        }
        assertThat(calls.lateLineFeeds).isEqualTo(1);
        assertThat(texts()).containsExactly("abcdef\r\r\n");
    }

    @Test
    void countsALineOfOnlyALeadingByteOrderMarkAsBlank() {
        assertThat(frames(BOM + "\n" + "data: a\n\n")).containsExactly(BOM + "\n", "data: a\n\n");
    }

    @ParameterizedTest
    @ValueSource(strings = {"data: a\n\n", BOM + "\n\n", "\u00EF\n\n", "\u00EF\u00BB\n\n", "\u00EF\u00BBx\n\n"})
    void countsOtherFirstLinesAsNotBlank(String rest) {
        assertThat(frames(BOM + rest)).containsExactly(BOM + rest);
        assertThat(frames("\n" + BOM + "\n\n")).containsExactly("\n", BOM + "\n\n");
    }

    @Test
    void reportsAFrameInPlaceWhenItLiesInOneRead() {
        ByteBuf in = bytes("xdata: a\n\ndata: b\n\n").skipBytes(1);
        List<int[]> places = new ArrayList<>();
        try (var decoder = new SseFrameDecoder(ALLOC)) {
            decoder.decode(in, new SseFrameListener() {
                @Override
                public void onFrame(ByteBuf buf, int start, int end) {
                    assertThat(buf).isSameAs(in);
                    places.add(new int[] {start, end});
                }

                @Override
                public void onPiece(ByteBuf buf, int start, int end, boolean first, boolean last) {
                    throw new AssertionError();
                }

                @Override
                public void onLateLineFeed(ByteBuf buf, int index) {
                    throw new AssertionError();
                }
            });
            assertThat(places).containsExactly(new int[] {1, 10}, new int[] {10, 19});
            assertThat(in.isReadable()).isFalse();
            assertThat(decoder.midFrame()).isFalse();
        } finally {
            assertThat(in.release()).isTrue();
        }
    }

    @Test
    void holdsNothingBetweenFrames() {
        try (var decoder = new SseFrameDecoder(ALLOC)) {
            feed(decoder, "data");
            assertThat(decoder.midFrame()).isTrue();
            assertThat(decoder.heldBytes()).isEqualTo(4);
            feed(decoder, ": a\n\n");
            assertThat(decoder.midFrame()).isFalse();
            assertThat(decoder.heldBytes()).isZero();
            assertThat(decoder.takeTail()).isNull();
        }
    }

    @Test
    void handsOverTheUnfinishedTail() {
        try (var decoder = new SseFrameDecoder(ALLOC)) {
            feed(decoder, "a\n\ndata: [DO");
            feed(decoder, "NE]\n");
            ByteBuf tail = decoder.takeTail();
            assertThat(tail.toString(ISO_8859_1)).isEqualTo("data: [DONE]\n");
            assertThat(tail.release()).isTrue();
            assertThat(decoder.midFrame()).isFalse();
            assertThat(decoder.takeTail()).isNull();
        }
    }

    @Test
    void deliversAFrameOfTheHoldLimitWholeAndALongerOneInPieces() {
        try (var decoder = new SseFrameDecoder(ALLOC, 8)) {
            feed(decoder, "abcd");
            feed(decoder, "ef\n\n");
            assertThat(calls.wholeFrames).isEqualTo(1);
            feed(decoder, "abcd");
            feed(decoder, "efg\n\n");
            assertThat(calls.pieces).isEqualTo(2);
            feed(decoder, "abcdefg\n\n");
            assertThat(calls.pieces).isEqualTo(3);
        }
        assertThat(texts()).containsExactly("abcdef\n\n", "abcdefg\n\n", "abcdefg\n\n");
    }

    @Test
    void putsEverythingHeldIntoTheFirstPiece() {
        List<String> pieces = new ArrayList<>();
        try (var decoder = new SseFrameDecoder(ALLOC, 8)) {
            var recorder = new SseFrameListener() {
                @Override
                public void onFrame(ByteBuf buf, int start, int end) {
                    pieces.add("frame " + buf.toString(start, end - start, ISO_8859_1));
                }

                @Override
                public void onPiece(ByteBuf buf, int start, int end, boolean first, boolean last) {
                    pieces.add(buf.toString(start, end - start, ISO_8859_1)
                            + (first ? " first" : "")
                            + (last ? " last" : ""));
                    assertThat(decoder.flowing()).isEqualTo(!last);
                }

                @Override
                public void onLateLineFeed(ByteBuf buf, int index) {
                    pieces.add("late");
                }
            };
            for (String read : List.of("0123", "45", "6789", "abc", "\n", "\n0\n", "\n")) {
                ByteBuf in = bytes(read);
                decoder.decode(in, recorder);
                in.release();
            }
        }
        assertThat(pieces).containsExactly("01234567 first", "89", "abc", "\n", "\n last", "frame 0\n\n");
    }

    @Test
    void boundsMemoryByTheHoldLimit() {
        int holdLimit = 1000;
        var alloc = new UnpooledByteBufAllocator(false);
        try (var decoder = new SseFrameDecoder(alloc, holdLimit)) {
            long most = 0;
            for (int i = 0; i < 50_000; i++) {
                feed(decoder, i % 7_000 == 6_999 ? "\n\n" : "x".repeat(i % 13));
                most = Math.max(
                        most, alloc.metric().usedHeapMemory() + alloc.metric().usedDirectMemory());
                assertThat(decoder.heldBytes()).isLessThanOrEqualTo(holdLimit);
            }
            assertThat(most).isPositive().isLessThanOrEqualTo(holdLimit);
        }
        assertThat(alloc.metric().usedHeapMemory() + alloc.metric().usedDirectMemory())
                .isZero();
        assertThat(calls.longestPiece).isEqualTo(holdLimit);
    }

    @Test
    void stopsWhenTheListenerClosesIt() {
        ByteBuf in = bytes("a\n\nb\n\nc");
        var decoder = new SseFrameDecoder(ALLOC);
        decoder.decode(in, new SseFrameListener() {
            @Override
            public void onFrame(ByteBuf buf, int start, int end) {
                calls.onFrame(buf, start, end);
                decoder.close();
            }

            @Override
            public void onPiece(ByteBuf buf, int start, int end, boolean first, boolean last) {
                throw new AssertionError();
            }

            @Override
            public void onLateLineFeed(ByteBuf buf, int index) {
                throw new AssertionError();
            }
        });
        assertThat(texts()).containsExactly("a\n\n");
        assertThat(in.readableBytes()).isEqualTo(4);
        assertThatIllegalStateException().isThrownBy(() -> decoder.decode(in, calls));
        decoder.close();
        in.release();
    }

    @Test
    void rejectsAHoldLimitThatIsNotPositive() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new SseFrameDecoder(ALLOC, 0))
                .withMessage("holdLimit: 0 (expected: > 0)");
    }

    /** The frames of a text. They are the same for the whole text and for single bytes, with each hold limit. */
    private static List<String> frames(String text) {
        List<String> whole = frames(text, text.length(), SseFrameDecoder.DEFAULT_HOLD_LIMIT);
        for (int holdLimit : new int[] {1, 2, 3, 5, SseFrameDecoder.DEFAULT_HOLD_LIMIT}) {
            assertThat(frames(text, text.length(), holdLimit)).isEqualTo(whole);
            assertThat(frames(text, 1, holdLimit)).isEqualTo(whole);
        }
        return whole;
    }

    private static List<String> frames(String text, int readBytes, int holdLimit) {
        var calls = new FrameCalls();
        try (var decoder = new SseFrameDecoder(ALLOC, holdLimit)) {
            for (int at = 0; at < text.length(); at += readBytes) {
                ByteBuf in = bytes(text.substring(at, Math.min(text.length(), at + readBytes)));
                decoder.decode(in, calls);
                in.release();
            }
        }
        return texts(calls);
    }

    private void feed(SseFrameDecoder decoder, String text) {
        ByteBuf in = bytes(text);
        decoder.decode(in, calls);
        assertThat(in.isReadable()).isFalse();
        in.release();
    }

    private List<String> texts() {
        return texts(calls);
    }

    private static List<String> texts(FrameCalls calls) {
        return calls.frames().stream()
                .map(frame -> new String(frame, ISO_8859_1))
                .toList();
    }

    private static ByteBuf bytes(String text) {
        return Unpooled.copiedBuffer(text, ISO_8859_1);
    }
}
