package io.millrace.server.redis;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.server.share.StoreLink;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RedisCommandsTest {
    private final List<String> broken = new ArrayList<>();
    private final List<String> told = new ArrayList<>();
    private final RedisCommands commands = new RedisCommands(broken::add);
    private EmbeddedChannel channel;

    @BeforeEach
    void open() {
        channel = new EmbeddedChannel(commands);
        commands.begin();
    }

    @AfterEach
    void close() {
        channel.finishAndReleaseAll();
    }

    private boolean write(Object... words) {
        return commands.write(
                (answer, refusal) -> told.add(refusal == null ? text(answer) : "refused: " + refusal), words);
    }

    private static String text(@Nullable Object answer) {
        if (answer instanceof byte[] bytes) {
            return new String(bytes, US_ASCII);
        }
        return answer instanceof List<?> list
                ? list.stream().map(RedisCommandsTest::text).toList().toString()
                : String.valueOf(answer);
    }

    private static String lines(String words) {
        return words.replace(" ", "\r\n").replace('_', ' ') + "\r\n";
    }

    private String sent() {
        var all = new StringBuilder();
        for (ByteBuf each = channel.readOutbound(); each != null; each = channel.readOutbound()) {
            all.append(each.toString(UTF_8));
            each.release();
        }
        return all.toString();
    }

    private void receive(String answers, int piece) {
        for (int at = 0; at < answers.length(); at += piece) {
            String part = answers.substring(at, Math.min(answers.length(), at + piece));
            channel.writeInbound(Unpooled.copiedBuffer(part, US_ASCII));
        }
    }

    @Test
    void writesTheCommandsOfATurnTogether() {
        assertThat(write("XADD", "k", "12-0", new byte[] {'a', 'b'}, 0L, 1234567890123L))
                .isTrue();
        assertThat(write("PING")).isFalse();
        assertThat(sent()).isEmpty();
        commands.flush();

        assertThat(channel.outboundMessages()).hasSize(1);
        assertThat(sent()).isEqualTo(lines("*6 $4 XADD $1 k $4 12-0 $2 ab $1 0 $13 1234567890123 *1 $4 PING"));
        commands.flush();
        assertThat(sent()).isEmpty();
    }

    @Test
    void writesTextAsUtf8AndContentInPlace() {
        write("SET", "clé", new StoreLink.Content() {
            @Override
            public int length() {
                return 100;
            }

            @Override
            public void writeTo(ByteBuf to) {
                ByteBufUtil.writeAscii(to, "x".repeat(100));
            }
        });
        commands.flush();

        assertThat(sent()).isEqualTo("*3\r\n$3\r\nSET\r\n$4\r\nclé\r\n$100\r\n" + "x".repeat(100) + "\r\n");
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 7, 1000})
    void readsAnswersOfAllKindsHoweverTheyAreCut(int piece) {
        for (int i = 0; i < 9; i++) {
            write("X");
        }
        receive(
                lines("+OK :-42 :9223372036854775807 $-1 $4 a b -ERR_no_such_thing *-1 *0")
                        + lines("*2 *2 $3 1-0 *2 $1 d $0  *2 $3 2-0 *2 $1 d $2  "),
                piece);

        assertThat(told)
                .containsExactly(
                        "OK",
                        "-42",
                        "9223372036854775807",
                        "null",
                        "a\r\nb",
                        "refused: ERR no such thing",
                        "null",
                        "[]",
                        "[[1-0, [d, ]], [2-0, [d, \r\n]]]");
        assertThat(broken).isEmpty();
    }

    @Test
    void readsARefusalWithinAnAnswerAsText() {
        write("EXEC");
        receive("*2\r\n+OK\r\n-ERR wrong kind\r\n", 100);
        assertThat(told).containsExactly("[OK, ERR wrong kind]");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "HTTP/1.1 400 Bad Request\r\n",
                "$x\r\n",
                "*99999999999999999999999\r\n",
                "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n"
            })
    void saysWhatIsNoAnswer(String bytes) {
        write("X");
        receive(bytes, 1);
        assertThat(told).isEmpty();
        assertThat(broken).isNotEmpty();
    }

    @Test
    void anAnswerWithoutACommandIsAFault() {
        receive("+OK\r\n", 100);
        assertThat(broken).containsExactly("an answer without a command");
    }

    @Test
    void aClosedConnectionForgetsItsCommands() {
        write("X");
        channel.close();
        assertThat(write("X")).isFalse();
        commands.flush();
        assertThat(sent()).isEmpty();
        assertThat(told).isEmpty();
    }

    @Test
    void lettucesAnswersPassUntilItBegins() {
        var before = new EmbeddedChannel(new RedisCommands(broken::add));
        before.writeInbound(Unpooled.copiedBuffer("+OK\r\n", US_ASCII));
        ByteBuf passed = before.readInbound();
        assertThat(passed.toString(US_ASCII)).isEqualTo("+OK\r\n");
        passed.release();
        before.finishAndReleaseAll();
    }
}
