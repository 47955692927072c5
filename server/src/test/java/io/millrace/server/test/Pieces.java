package io.millrace.server.test;

import com.code_intelligence.jazzer.api.FuzzedDataProvider;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Inputs for parsers of HTTP: words of its grammar and other bytes, and all the ways to cut them. */
public final class Pieces {
    private static final int MAX_WORDS = 24;
    private static final int MAX_STRAY_BYTES = 4;
    private static final int MAX_CUTS = 6;

    private Pieces() {}

    /** Words in some order, with stray bytes between them. */
    public static byte[] text(FuzzedDataProvider fuzz, String... words) {
        var text = new ByteArrayOutputStream();
        for (int left = fuzz.consumeInt(1, MAX_WORDS); left > 0 && fuzz.remainingBytes() > 0; left--) {
            if (fuzz.consumeInt(0, 15) == 0) {
                text.writeBytes(fuzz.consumeBytes(MAX_STRAY_BYTES));
            } else {
                text.writeBytes(fuzz.pickValue(words).getBytes(StandardCharsets.ISO_8859_1));
            }
        }
        return text.toByteArray();
    }

    /** Cuts chosen by the fuzzer; each is taken modulo the length of what is cut. */
    public static int[] cuts(FuzzedDataProvider fuzz) {
        return fuzz.consumeInts(MAX_CUTS);
    }

    /** The bytes as one read, as reads cut at {@code cuts}, and as one read a byte. */
    public static List<List<byte[]>> waysToRead(byte[] bytes, int[] cuts) {
        int[] places = new int[cuts.length];
        for (int i = 0; i < cuts.length; i++) {
            places[i] = Math.floorMod(cuts[i], bytes.length + 1);
        }
        int[] everywhere = new int[bytes.length];
        Arrays.setAll(everywhere, i -> i);
        return List.of(cut(bytes), cut(bytes, places), cut(bytes, everywhere));
    }

    /** The bytes as the inside of a Java string, for messages. */
    public static String printable(byte[] bytes) {
        var text = new StringBuilder();
        for (byte octet : bytes) {
            boolean plain = octet >= 0x20 && octet < 0x7f;
            text.append(plain ? String.valueOf((char) octet) : String.format("\\x%02x", octet));
        }
        return text.toString();
    }

    /** One read as a buffer of its own. */
    public static ByteBuf buffer(ByteBufAllocator alloc, byte[] read) {
        return alloc.buffer(Math.max(1, read.length)).writeBytes(read);
    }

    private static List<byte[]> cut(byte[] bytes, int... places) {
        var pieces = new ArrayList<byte[]>();
        int start = 0;
        for (int place : Arrays.stream(places).sorted().distinct().toArray()) {
            pieces.add(Arrays.copyOfRange(bytes, start, place));
            start = place;
        }
        pieces.add(Arrays.copyOfRange(bytes, start, bytes.length));
        return pieces;
    }
}
