package io.millrace.codec.text;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** Random documents with parts that must stay whole. */
class MarkdownDocumentsTest {
    private record Range(int from, int to) {}

    private static final class Document {
        private final StringBuilder text = new StringBuilder();
        private final List<Range> whole = new ArrayList<>();

        private void block(String block) {
            whole.add(new Range(text.length(), text.length() + block.length()));
            text.append(block);
        }
    }

    private final Random random = new Random(6);

    @Test
    void nothingThatBelongsTogetherIsSplit() {
        for (int round = 0; round < 800; round++) {
            Document document = document();
            String text = document.text.toString();
            List<String> units =
                    Segmenting.pieces(TextUnit.MARKDOWN, Segmenting.cut(text, 1 + random.nextInt(20), random));
            assertThat(String.join("", units)).isEqualTo(text);
            for (int start : Segmenting.starts(units)) {
                assertThat(document.whole)
                        .as("a unit begins at %d of %s", start, text)
                        .noneMatch(range -> range.from < start && start < range.to);
            }
        }
    }

    @Test
    void blocksAreNotGluedTogether() {
        for (int round = 0; round < 500; round++) {
            Document document = document();
            List<String> units = Segmenting.whole(TextUnit.MARKDOWN, document.text.toString());
            assertThat(units).as(document.text.toString()).hasSize(document.whole.size());
        }
    }

    private Document document() {
        Document document = new Document();
        List<Consumer<Document>> kinds =
                List.of(this::paragraph, this::fence, this::list, this::table, this::heading, this::quote);
        for (int i = 1 + random.nextInt(8); i > 0; i--) {
            kinds.get(random.nextInt(kinds.size())).accept(document);
        }
        return document;
    }

    private void paragraph(Document document) {
        document.block(lines("") + "\n");
    }

    private void heading(Document document) {
        document.block("#".repeat(1 + random.nextInt(6)) + " Head `a` 🇩🇪\n" + "\n".repeat(random.nextInt(2)));
    }

    private void quote(Document document) {
        document.block(lines("> ") + "\n");
    }

    private void fence(Document document) {
        String fence = (random.nextBoolean() ? "`" : "~").repeat(3 + random.nextInt(2));
        document.block(fence + "java\n# a\n\n- b\n| c |\n\n" + lines("  ") + fence + "\n");
    }

    private void list(Document document) {
        boolean bullets = random.nextBoolean();
        int items = 1 + random.nextInt(4);
        for (int i = 1; i <= items; i++) {
            String marker = bullets ? "- " : i + ". ";
            String indent = " ".repeat(marker.length());
            String item = marker + "Item with `code` and [a link](https://x.org/?a=b).\n";
            item += switch (random.nextInt(5)) {
                case 0 -> indent + "- nested\n" + indent + "  1. deeper\n";
                case 1 -> indent + "more\n\n" + lines(indent);
                case 2 -> "\n" + indent + "```\n" + indent + "a\n\n" + indent + "- b\n" + indent + "```\n";
                case 3 -> "lazy\n";
                default -> "";
            };
            document.block(item + (i == items ? "\n" : ""));
        }
        // Else a list that follows could go on with this one's last item.
        document.block("Text.\n\n");
    }

    private void table(Document document) {
        document.block("| a | b |\n|:--|--:|\n");
        int rows = 1 + random.nextInt(4);
        for (int i = 1; i <= rows; i++) {
            document.block("| `x y` | [l](u) 你好 |\n" + (i == rows ? "\n" : ""));
        }
    }

    private String lines(String indent) {
        String[] lines = {
            "Text with `code. Here` and a [link. To](https://x.org/a_(b)).\n",
            "**Bold** 3.14, 1) no item; a | b\n",
            "你好。世界 👨‍👩‍👧\n",
            "`code over\n" + indent + "two lines` and [a\n" + indent + "link](x)\n"
        };
        StringBuilder text = new StringBuilder();
        for (int i = 1 + random.nextInt(4); i > 0; i--) {
            text.append(indent).append(lines[random.nextInt(lines.length)]);
        }
        return text.toString();
    }
}
