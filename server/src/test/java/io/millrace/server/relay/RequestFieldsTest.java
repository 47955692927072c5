package io.millrace.server.relay;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.lang.management.ManagementFactory;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RequestFieldsTest {
    @ParameterizedTest
    @CsvSource(
            quoteCharacter = '\'',
            value = {
                "'{\"model\":\"m\"}', m, '\"m\"', false",
                "'{\"stream\":true,\"model\":\"m\"}', m, '\"m\"', true",
                "'{\"model\":\"m\",\"stream\":false}', m, '\"m\"', false",
                "'{\"model\":\"m\",\"stream\":\"true\"}', m, '\"m\"', false",
                "'{\"stream\":true,\"stream\":false,\"model\":\"m\"}', m, '\"m\"', false",
                "'{\"model\":\"a\",\"stream\":true,\"model\":\"b\"}', b, '\"b\"', true",
                "'\uFEFF{\"model\":\"m\"}', m, '\"m\"', false",
                "'{\"x\":\"\u00e9\u4e2d\ud83d\ude00\",\"model\":\"m\u00e9\"}', m\u00e9, '\"m\u00e9\"', false",
                "'{\"model\" : \"a\\\"b\\u0041\" }', a\"bA, '\"a\\\"b\\u0041\"', false",
                "'{\"a\":{\"model\":\"x\"},\"b\":[{\"model\":\"y\"}]}', , '', false",
                "'{\"model\":null}', , '', false",
                "'{}', , '', false",
            })
    void findsModelAndStream(String json, String model, String bytes, boolean stream) {
        for (ByteBuf body : new ByteBuf[] {whole(json, StandardCharsets.UTF_8), split(json)}) {
            int readable = body.readableBytes();
            RequestFields fields = RequestFieldsReader.of(body);
            assertThat(fields.invalid()).isNull();
            assertThat(fields.model()).isEqualTo(model);
            assertThat(fields.stream()).isEqualTo(stream);
            if (model != null) {
                int length = fields.modelEnd() - fields.modelStart();
                assertThat(body.toString(body.readerIndex() + fields.modelStart(), length, StandardCharsets.UTF_8))
                        .isEqualTo(bytes);
            }
            assertThat(body.readableBytes()).isEqualTo(readable);
            body.release();
        }
    }

    @ParameterizedTest
    @CsvSource(
            quoteCharacter = '\'',
            value = {
                "'{\"stream\":true}', '{\"stream_options\":{\"include_usage\":true},\"stream\":true}'",
                "' { \"a\":1}', ' {\"stream_options\":{\"include_usage\":true}, \"a\":1}'",
                "'\uFEFF{\"a\":1}', '\uFEFF{\"stream_options\":{\"include_usage\":true},\"a\":1}'",
                "'{\"stream_options\":{}}', '{\"stream_options\":{\"include_usage\":true}}'",
                "'{\"stream_options\" : { }}', '{\"stream_options\" : {\"include_usage\":true }}'",
                "'{\"stream_options\":null}', '{\"stream_options\":{\"include_usage\":true}}'",
                "'{\"stream_options\":{\"x\":[1,{}]}}', '{\"stream_options\":{\"include_usage\":true,\"x\":[1,{}]}}'",
                "'{\"stream_options\":{\"include_usage\":false}}', '{\"stream_options\":{\"include_usage\":true}}'",
                "'{\"a\":\"\u00e9\",\"stream_options\":{\"include_usage\" : null , \"x\":1}}', "
                        + "'{\"a\":\"\u00e9\",\"stream_options\":{\"include_usage\" : true , \"x\":1}}'",
                "'{\"stream_options\":{\"include_usage\":true},\"stream_options\":{}}', "
                        + "'{\"stream_options\":{\"include_usage\":true},\"stream_options\":{\"include_usage\":true}}'",
            })
    void findsWhereToAskForUsage(String json, String asking) {
        for (ByteBuf body : new ByteBuf[] {whole(json, StandardCharsets.UTF_8), split(json)}) {
            RequestFields.Usage usage = RequestFieldsReader.of(body).usage();
            assertThat(usage.asked()).isFalse();
            int length = body.readableBytes();
            String before = body.toString(0, usage.start(), StandardCharsets.UTF_8);
            String after = body.toString(usage.end(), length - usage.end(), StandardCharsets.UTF_8);
            assertThat(before + usage.text() + after).isEqualTo(asking);
            body.release();
        }
    }

    @Test
    void knowsWhoAsksForUsageAndWhoCannotBeHelped() {
        ByteBuf asks = whole("{\"stream_options\":{\"x\":1,\"include_usage\":true}}", StandardCharsets.UTF_8);
        assertThat(RequestFieldsReader.of(asks).usage().asked()).isTrue();
        asks.release();
        for (String value : new String[] {"1", "\"x\"", "[]", "{\"include_usage\":1}", "{\"include_usage\":{}}"}) {
            ByteBuf body = whole("{\"stream_options\":" + value + "}", StandardCharsets.UTF_8);
            assertThat(RequestFieldsReader.of(body).usage()).as(value).isNull();
            body.release();
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "[]",
                "1",
                "\"model\"",
                "{\"model\":\"m\"",
                "{\"model\"}",
                "{\"model\":\"m\" \"x\":1}",
                "{'model':'m'}",
                "x"
            })
    void saysWhatIsInvalid(String json) {
        ByteBuf body = whole(json, StandardCharsets.UTF_8);
        assertThat(RequestFieldsReader.of(body).invalid()).startsWith("the body is not");
        body.release();
    }

    @Test
    void refusesOtherEncodings() {
        for (Charset charset :
                new Charset[] {StandardCharsets.UTF_16LE, StandardCharsets.UTF_16BE, Charset.forName("UTF-32")}) {
            ByteBuf body = whole("{\"model\":\"m\"}", charset);
            assertThat(RequestFieldsReader.of(body).invalid()).isEqualTo("the body is not UTF-8");
            body.release();
        }
    }

    @Test
    void readsTheSameWhereverABodyIsCut() {
        String json =
                "\uFEFF {\"a\":[{\"model\":\"x\\\"\"},[],{}],\"mod\\u0065l\":\"m\\u00e9\\n\",\"n\":3,\"stream\":true,"
                        + "\"stream_options\":{\"x\":{\"include_usage\":1},\"include_usage\":false},\"t\":-1.5e+3} ";
        ByteBuf whole = whole(json, StandardCharsets.UTF_8);
        RequestFields expected = RequestFieldsReader.of(whole);
        assertThat(expected.model()).isEqualTo("m\u00e9\n");
        assertThat(expected.choices()).isEqualTo(3);
        assertThat(expected.stream()).isTrue();
        for (int cut = 0; cut <= whole.readableBytes(); cut++) {
            var reader = new RequestFieldsReader();
            reader.read(whole.slice(0, cut));
            reader.read(whole.slice(cut, whole.readableBytes() - cut));
            assertThat(reader.end()).isEqualTo(expected);
        }
        whole.release();
    }

    @Test
    void readsManyNamesInLittleTimeAndKeepsNone() {
        var json = new StringBuilder("{");
        for (int i = 0; i < 1_000_000; i++) {
            json.append("\"name-").append(i).append("\":").append(i).append(',');
        }
        ByteBuf body = whole(json.append("\"model\":\"m\"}").toString(), StandardCharsets.UTF_8);
        var threads = ManagementFactory.getThreadMXBean();
        long startNs = threads.getCurrentThreadCpuTime();
        assertThat(RequestFieldsReader.of(body).model()).isEqualTo("m");
        assertThat(threads.getCurrentThreadCpuTime() - startNs)
                .as("of %s bytes", body.readableBytes())
                .isLessThan(2_000_000_000L);
        body.release();
    }

    @Test
    void bearsAModelOfAnyLength() {
        ByteBuf body = whole("{\"model\":\"" + "m".repeat(100_000) + "\"}", StandardCharsets.UTF_8);
        assertThat(RequestFieldsReader.of(body).invalid()).contains("too long");
        body.release();
    }

    @Test
    void refusesDeepNestingWithoutHarm() {
        ByteBuf body = whole("{\"a\":" + "[".repeat(100_000), StandardCharsets.UTF_8);
        assertThat(RequestFieldsReader.of(body).invalid()).isNotNull();
        body.release();
    }

    @Test
    void neverThrowsOnRandomBytes() {
        var random = new Random(7);
        byte[] alphabet = "{}[]\"\\model:,u0041 true\u00e9\ufeff".getBytes(StandardCharsets.UTF_8);
        for (int round = 0; round < 20_000; round++) {
            byte[] bytes = new byte[random.nextInt(40)];
            for (int i = 0; i < bytes.length; i++) {
                bytes[i] = alphabet[random.nextInt(alphabet.length)];
            }
            RequestFields fields = RequestFieldsReader.of(Unpooled.wrappedBuffer(bytes));
            assertThat(fields.invalid() != null || fields.model() == null || fields.modelStart() >= 0)
                    .isTrue();
        }
    }

    private static ByteBuf whole(String json, Charset charset) {
        return Unpooled.copiedBuffer(json, charset);
    }

    private static ByteBuf split(String json) {
        byte[] bytes = json.getBytes(StandardCharsets.UTF_8);
        var parts = Unpooled.compositeBuffer(Integer.MAX_VALUE);
        for (byte octet : bytes) {
            parts.addComponent(true, Unpooled.wrappedBuffer(new byte[] {octet}));
        }
        return parts;
    }
}
