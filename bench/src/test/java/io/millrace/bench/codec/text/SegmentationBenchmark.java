package io.millrace.bench.codec.text;

import io.millrace.bench.AverageTimeBenchmark;
import io.millrace.codec.text.TextSegmenter;
import io.millrace.codec.text.TextUnit;
import java.util.ArrayList;
import java.util.List;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;

/**
 * The cost of splitting text into units. One operation is one token of four characters, or of two in Chinese and Thai.
 */
public class SegmentationBenchmark extends AverageTimeBenchmark {
    private static final int TEXT_TOKENS = 10_000;

    /** The kind of unit. */
    @Param
    TextUnit unit;

    /** The text. */
    @Param({"english", "chinese", "thai", "markdown"})
    String text;

    private List<String> tokens;
    private int token;
    private TextSegmenter segmenter;
    private long characters;

    /** Cuts the text into tokens. */
    @Setup
    public void open() {
        String sample = sampleOf(text);
        boolean spaceless = text.equals("chinese") || text.equals("thai");
        int length = spaceless ? 2 : 4;
        tokens = new ArrayList<>();
        for (int at = 0; at < sample.length(); at += length) {
            tokens.add(sample.substring(at, Math.min(sample.length(), at + length)));
        }
        begin();
    }

    /** The number of characters delivered so far. */
    @Benchmark
    public long add() {
        if (token == TEXT_TOKENS) {
            segmenter.finish();
            begin();
        }
        segmenter.add(tokens.get(token++ % tokens.size()), 0);
        return characters;
    }

    private void begin() {
        token = 0;
        segmenter = new TextSegmenter(unit, delivered -> characters += delivered.length());
    }

    private static String sampleOf(String name) {
        return switch (name) {
            case "english" -> """
                    The relay forwards tokens as they come. It costs 3.14 cents (e.g. on the U.S. plan), and

                    nothing waits! Does it? See https://example.com/a.b?c=d for more.
                    """;
            case "chinese" -> "中继站在收到每个词元后立即转发。它的价格是3.14元！真的吗？“是的。”他说，然后离开了。\n\n";
            case "thai" -> "ภาษาไทยไม่มีการเว้นวรรคระหว่างคำ ราคา 3.14 บาท กำลังเดินทางไป\n\n";
            default -> """
                    ## Head

                    Text with `code` and [a link](https://x.org).

                    - item
                      more
                    - item

                    ```java
                    var a = 1;

                    return a;
                    ```

                    | a | b |
                    |---|---|
                    | 1 | 2 |

                    """;
        };
    }
}
