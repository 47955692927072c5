package io.millrace.server.chat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.millrace.codec.translate.ModelRequest;
import io.millrace.codec.translate.Part;
import io.millrace.codec.translate.Turn;
import io.millrace.server.format.RequestRefusal;
import io.netty.handler.codec.http.DefaultHttpRequest;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpVersion;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ChatQuestionTest {
    private static final String JSON = "application/json";
    private static final String FORM = "application/x-www-form-urlencoded";

    @Test
    void readsEveryFieldOfJson() throws RequestRefusal {
        ModelRequest request = request(
                "/chat",
                JSON,
                "{\"prompt\":\"Hi\",\"system\":\"Be brief.\",\"model\":\"m\",\"max_tokens\":7,\"temperature\":0.5,"
                        + "\"chunk\":\"word\",\"format\":\"sse\"}");
        assertThat(request.model()).isEqualTo("m");
        assertThat(request.system()).containsExactly("Be brief.");
        assertThat(request.maxTokens()).isEqualTo(7);
        assertThat(request.sampling().temperature()).isEqualTo(0.5);
        assertThat(request.stream()).isTrue();
        assertThat(request.includeUsage()).isTrue();
        assertThat(request.turns()).containsExactly(user("Hi"));
    }

    @Test
    void readsAConversation() throws RequestRefusal {
        ModelRequest request = request(
                "/chat",
                JSON + "; charset=utf-8",
                "{\"messages\":[{\"role\":\"system\",\"content\":\"S\"},{\"role\":\"user\",\"content\":\"a\"},"
                        + "{\"role\":\"assistant\",\"content\":\"b\"},{\"role\":\"user\",\"content\":\"c\"}],\"model\":null}");
        assertThat(request.system()).containsExactly("S");
        assertThat(request.turns())
                .containsExactly(user("a"), new Turn(Turn.Role.ASSISTANT, List.of(new Part.Text("b"))), user("c"));
        assertThat(request.model()).isEmpty();
    }

    @Test
    void readsAForm() throws RequestRefusal {
        ModelRequest request = request("/chat", FORM, "prompt=a+b%26c;d&max_tokens=3&temperature=1&system=");
        assertThat(request.turns()).containsExactly(user("a b&c;d"));
        assertThat(request.maxTokens()).isEqualTo(3);
        assertThat(request.sampling().temperature()).isEqualTo(1.0);
        assertThat(request.system()).isEmpty();
    }

    @Test
    void readsTheQueryOfAGet() throws RequestRefusal {
        ModelRequest request = read(HttpMethod.GET, "/chat?prompt=Gr%C3%BC%C3%9Fe;%20all&temperature=1.0", null, "")
                .request();
        assertThat(request.turns()).containsExactly(user("Grüße; all"));
        assertThat(request.sampling().temperature()).isEqualTo(1.0);
    }

    @Test
    void takesFieldsFromQueryAndBodyTogether() throws RequestRefusal {
        ModelRequest request = request("/chat?model=m&chunk=markdown", JSON, "{\"prompt\":\"Hi\"}");
        assertThat(request.model()).isEqualTo("m");
        assertThat(request.turns()).containsExactly(user("Hi"));
    }

    @Test
    void readsAMultipartForm() throws RequestRefusal {
        String part = "--b\r\nContent-Disposition: form-data; name=\"";
        String body = part + "prompt\"\r\n\r\nTwo\r\nlines, ü --b\r\n" + part + "system\"\r\n\r\n\r\n--b \r\n"
                + "Content-Type: text/plain\r\ncontent-disposition:form-data;name=max_tokens\r\n\r\n9\r\n--b--\r\n";
        for (String type :
                List.of("multipart/form-data; boundary=b", "Multipart/Form-Data; charset=x; Boundary=\"b\"")) {
            ModelRequest request = request("/chat", type, body);
            assertThat(request.turns()).containsExactly(user("Two\r\nlines, ü --b"));
            assertThat(request.system()).isEmpty();
            assertThat(request.maxTokens()).isEqualTo(9);
        }
        assertThat(request("/chat?prompt=a", "multipart/form-data; boundary=b", "--b--")
                        .turns())
                .containsExactly(user("a"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{}                                              | prompt             | prompt is missing",
                "{\"prompt\":\" \"}                              | prompt             | is empty",
                "{\"prompt\":7}                                  | prompt             | must be a string",
                "{\"prompt\":\"a\",\"prompt\":\"b\"}             | `null`             | not valid JSON",
                "{\"prompt\":\"a\",\"promt\":\"b\"}              | promt              | is no field of /chat",
                "{\"prompt\":\"a\",\"promt\":null}               | promt              | is no field of /chat",
                "{\"prompt\":\"a\",\"messages\":[{\"role\":\"user\",\"content\":\"b\"}]} | messages | one of prompt and",
                "{\"messages\":[]}                               | messages           | at least one message",
                "{\"messages\":\"a\"}                            | messages           | at least one message",
                "{\"messages\":[7]}                              | messages[0]        | must be an object",
                "{\"messages\":[{\"role\":\"tool\",\"content\":\"b\"}]}     | messages[0].role    | must be system, user or",
                "{\"messages\":[{\"role\":\"user\"}]}            | messages[0].content | must be a string",
                "{\"messages\":[{\"role\":\"user\",\"content\":\"\"}]}      | messages[0].content | is empty",
                "{\"messages\":[{\"role\":\"user\",\"content\":\"b\",\"name\":\"n\"}]} | messages[0].name | no more",
                "{\"messages\":[{\"role\":\"system\",\"content\":\"b\"}]}   | messages           | none but of the system",
                "{\"prompt\":\"a\",\"max_tokens\":0}             | max_tokens         | whole number from 1",
                "{\"prompt\":\"a\",\"max_tokens\":1.5}           | max_tokens         | whole number from 1",
                "{\"prompt\":\"a\",\"max_tokens\":1e99}          | max_tokens         | whole number from 1",
                "{\"prompt\":\"a\",\"max_tokens\":\"9\"}         | max_tokens         | must be a number",
                "{\"prompt\":\"a\",\"temperature\":-0.1}         | temperature        | 0 to 2",
                "{\"prompt\":\"a\",\"temperature\":2.1}          | temperature        | 0 to 2",
                "{\"prompt\":\"a\",\"chunk\":\"line\"}           | chunk              | one of token, word, sentence",
                "{\"prompt\":\"a\",\"format\":\"xml\"}           | format             | one of sse, json, text.",
                "{\"prompt\":\"a\",\"parts\":\"all\"}            | parts              | only a stream of format json",
                "{\"prompt\":\"a\",\"format\":\"json\",\"parts\":\"x\"}       | parts              | one of text, all.",
                "{\"prompt\":\"a\",\"stream\":\"false\"}         | stream             | true or false",
                "{\"prompt\":\"a\",\"stream\":false,\"format\":\"sse\"}     | stream             | format asks for a stream",
                "[]                                              | `null`             | not a JSON object",
                "{\"prompt\":\"a\"} x                            | `null`             | not valid JSON: line 1",
                "{\"prompt\":                                    | `null`             | not valid JSON",
            })
    void namesTheFieldThatIsWrong(String body, String field, String message) {
        RequestRefusal refusal = refusal("/chat", JSON, body);
        assertThat(refusal.refusal().status()).isEqualTo(400);
        assertThat(String.valueOf(refusal.refusal().field())).isEqualTo(field);
        assertThat(refusal).hasMessageContaining(message);
    }

    @ParameterizedTest
    @CsvSource({
        "prompt=a&prompt=b, prompt, given twice",
        "prompt=a&messages=b, messages, only be given in a JSON body",
        "prompt=a&_=1, _, is no field",
        "prompt=a&temperature=hot, temperature, must be a number",
        "prompt=a&max_tokens=99999999999999999999, max_tokens, whole number",
        "prompt=a&stream=yes, stream, true or false",
        "prompt=%zz, null, percent-encoded",
    })
    void namesTheFormFieldThatIsWrong(String body, String field, String message) {
        RequestRefusal refusal = refusal("/chat", FORM, body);
        assertThat(refusal.refusal().status()).isEqualTo(400);
        assertThat(String.valueOf(refusal.refusal().field())).isEqualTo(field);
        assertThat(refusal).hasMessageContaining(message);
        assertThat(refusal("/chat?" + body, null, ""))
                .hasMessage(refusal.getMessage().replace("The form is", "The query is"));
    }

    @Test
    void takesNoFieldTwiceFromQueryAndBody() {
        assertThat(refusal("/chat?prompt=a", JSON, "{\"prompt\":\"a\"}")
                        .refusal()
                        .field())
                .isEqualTo("prompt");
    }

    @Test
    void refusesOtherTypesAndFiles() {
        assertThat(refusal("/chat", "text/plain", "Hi").refusal().status()).isEqualTo(415);
        assertThat(refusal("/chat", null, "Hi").refusal().status()).isEqualTo(415);
        String file = String.join(
                "\r\n",
                "--b",
                "Content-Disposition: form-data; name=\"prompt\"; filename=\"p.txt\"",
                "Content-Type: text/plain",
                "",
                "Hi",
                "--b--",
                "");
        RequestRefusal refusal = refusal("/chat", "multipart/form-data; boundary=b", file);
        assertThat(refusal.refusal().field()).isEqualTo("prompt");
        assertThat(refusal).hasMessageContaining("is a file");
        assertThat(refusal("/chat", "multipart/form-data", file).refusal().status())
                .isEqualTo(400);
        assertThat(refusal("/chat", "multipart/form-data; boundary=b", "rubbish")
                        .refusal()
                        .status())
                .isEqualTo(400);
    }

    @Test
    void refusesWhatIsTooLargeToBeReadAtOnce() {
        String body = "{\"prompt\":\"" + "x".repeat(ChatRequestReader.MAX_BODY) + "\"}";
        assertThat(refusal("/chat", JSON, body).refusal().status()).isEqualTo(413);
    }

    @ParameterizedTest
    @CsvSource({
        "'{\"prompt\":\"a\"}', application/json, false, application/json",
        "'{\"prompt\":\"a\"}', '*/*', true, text/event-stream",
        "'{\"prompt\":\"a\"}', 'application/json, text/event-stream', true, text/event-stream",
        "'{\"prompt\":\"a\",\"stream\":true}', application/json, true, text/event-stream",
        "'{\"prompt\":\"a\",\"stream\":false}', '*/*', false, application/json",
        "'{\"prompt\":\"a\",\"stream\":false,\"format\":\"json\"}', '*/*', false, application/json",
        "'{\"prompt\":\"a\",\"format\":\"json\"}', application/json, true, text/event-stream",
        "'{\"prompt\":\"a\",\"format\":\"text\"}', application/json, true, text/plain",
    })
    void choosesTheFormOfTheAnswer(String body, String accept, boolean streams, String type) throws RequestRefusal {
        HttpRequest head = head(HttpMethod.POST, "/chat", JSON);
        head.headers().set("accept", accept);
        ChatQuestion format = ChatQuestion.read(head, body.getBytes(StandardCharsets.UTF_8), () -> 0);
        assertThat(format.form() != ChatForm.ANSWER).isEqualTo(streams);
        assertThat(format.request().stream()).isEqualTo(streams);
        assertThat(format.form().contentType).startsWith(type);
    }

    private static Turn user(String text) {
        return new Turn(Turn.Role.USER, List.of(new Part.Text(text)));
    }

    private static ModelRequest request(String target, String type, String body) throws RequestRefusal {
        return read(HttpMethod.POST, target, type, body).request();
    }

    private static RequestRefusal refusal(String target, String type, String body) {
        RequestRefusal refusal =
                catchThrowableOfType(RequestRefusal.class, () -> read(HttpMethod.POST, target, type, body));
        assertThat(refusal).isNotNull();
        return refusal;
    }

    private static ChatQuestion read(HttpMethod method, String target, String type, String body) throws RequestRefusal {
        return ChatQuestion.read(head(method, target, type), body.getBytes(StandardCharsets.UTF_8), () -> 0);
    }

    private static HttpRequest head(HttpMethod method, String target, String type) {
        var head = new DefaultHttpRequest(HttpVersion.HTTP_1_1, method, target);
        if (type != null) {
            head.headers().set("content-type", type);
        }
        return head;
    }
}
