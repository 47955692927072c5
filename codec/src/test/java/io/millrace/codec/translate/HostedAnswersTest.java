package io.millrace.codec.translate;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.codec.dialect.Dialect;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The uses of a provider's tools and the sources of the text come in the client's dialect. They are no calls for the client,
 * and the answer does not wait for results.
 */
class HostedAnswersTest {
    /** The same answer of each upstream: a search, a text of which the part {@code Añ😀} is cited, and code. */
    private static final Map<Dialect, List<String>> STREAMS = Map.of(
            Dialect.RESPONSES,
            List.of(
                    "{'type':'response.created','response':{'id':'resp_1','model':'m'}}",
                    "{'type':'response.output_item.added','output_index':0,'item':{'id':'ws_1','type':'web_search_call','status':'in_progress'}}",
                    "{'type':'response.web_search_call.searching','output_index':0,'item_id':'ws_1'}",
                    "{'type':'response.output_item.done','output_index':0,'item':{'id':'ws_1','type':'web_search_call','status':'completed','action':{'type':'search','query':'q','sources':[{'type':'url','url':'https://a'}]}}}",
                    "{'type':'response.output_item.added','output_index':1,'item':{'id':'msg_1','type':'message','content':[]}}",
                    "{'type':'response.output_text.delta','output_index':1,'item_id':'msg_1','content_index':0,'delta':'Añ'}",
                    "{'type':'response.output_text.delta','output_index':1,'item_id':'msg_1','content_index':0,'delta':'😀.'}",
                    "{'type':'response.output_text.annotation.added','output_index':1,'item_id':'msg_1','content_index':0,'annotation_index':0,'annotation':{'type':'url_citation','start_index':0,'end_index':3,'title':'A','url':'https://a'}}",
                    "{'type':'response.output_item.done','output_index':1,'item':{'id':'msg_1','type':'message','content':[{'type':'output_text','text':'Añ😀.','annotations':[{'type':'url_citation','start_index':0,'end_index':3,'title':'A','url':'https://a'}]}]}}",
                    "{'type':'response.output_item.done','output_index':2,'item':{'id':'ci_1','type':'code_interpreter_call','status':'completed','code':'1+1','container_id':'c','outputs':[{'type':'logs','logs':'2'}]}}",
                    "{'type':'response.completed','response':{'id':'resp_1','status':'completed','output':["
                            + "{'id':'ws_1','type':'web_search_call','status':'completed','action':{'type':'search','query':'q','sources':[{'type':'url','url':'https://a'}]}},"
                            + "{'id':'msg_1','type':'message','content':[{'type':'output_text','text':'Añ😀.','annotations':[{'type':'url_citation','start_index':0,'end_index':3,'title':'A','url':'https://a'}]}]},"
                            + "{'id':'ci_1','type':'code_interpreter_call','status':'completed','code':'1+1','container_id':'c','outputs':[{'type':'logs','logs':'2'}]}],"
                            + "'usage':{'input_tokens':3,'output_tokens':2}}}"),
            Dialect.MESSAGES,
            List.of(
                    "{'type':'message_start','message':{'id':'msg_1','model':'m','usage':{'input_tokens':3}}}",
                    "{'type':'content_block_start','index':0,'content_block':{'type':'server_tool_use','id':'srvtoolu_1','name':'web_search','input':{}}}",
                    "{'type':'content_block_delta','index':0,'delta':{'type':'input_json_delta','partial_json':'{\\'query\\''}}",
                    "{'type':'content_block_delta','index':0,'delta':{'type':'input_json_delta','partial_json':':\\'q\\'}'}}",
                    "{'type':'content_block_stop','index':0}",
                    "{'type':'content_block_start','index':1,'content_block':{'type':'web_search_tool_result','tool_use_id':'srvtoolu_1','content':[{'type':'web_search_result','title':'A','url':'https://a','encrypted_content':'x'}]}}",
                    "{'type':'content_block_stop','index':1}",
                    "{'type':'content_block_start','index':2,'content_block':{'type':'text','text':'','citations':[]}}",
                    "{'type':'content_block_delta','index':2,'delta':{'type':'citations_delta','citation':{'type':'web_search_result_location','cited_text':'A','url':'https://a','title':'A','encrypted_index':'y'}}}",
                    "{'type':'content_block_delta','index':2,'delta':{'type':'text_delta','text':'Añ😀'}}",
                    "{'type':'content_block_stop','index':2}",
                    "{'type':'content_block_start','index':3,'content_block':{'type':'text','text':''}}",
                    "{'type':'content_block_delta','index':3,'delta':{'type':'text_delta','text':'.'}}",
                    "{'type':'content_block_stop','index':3}",
                    "{'type':'content_block_start','index':4,'content_block':{'type':'server_tool_use','id':'srvtoolu_2','name':'bash_code_execution','input':{'command':'1+1'}}}",
                    "{'type':'content_block_stop','index':4}",
                    "{'type':'content_block_start','index':5,'content_block':{'type':'bash_code_execution_tool_result','tool_use_id':'srvtoolu_2','content':{'type':'bash_code_execution_result','stdout':'2','stderr':'','return_code':0,'content':[]}}}",
                    "{'type':'content_block_stop','index':5}",
                    "{'type':'message_delta','delta':{'stop_reason':'end_turn'},'usage':{'output_tokens':2}}",
                    "{'type':'message_stop'}"),
            Dialect.GEMINI,
            List.of(
                    "{'candidates':[{'content':{'parts':[{'executableCode':{'language':'PYTHON','code':'1+1'}}]}}]}",
                    "{'candidates':[{'content':{'parts':[{'codeExecutionResult':{'outcome':'OUTCOME_OK','output':'2'}}]}}]}",
                    "{'candidates':[{'content':{'parts':[{'text':'Añ'}]},'groundingMetadata':{}}],'responseId':'r'}",
                    "{'candidates':[{'content':{'parts':[{'text':'😀.'}]}}]}",
                    "{'candidates':[{'content':{'parts':[{'text':''}]},'finishReason':'STOP','groundingMetadata':{'webSearchQueries':['q'],'groundingChunks':[{'web':{'uri':'https://a','title':'A'}}],"
                            + "'groundingSupports':[{'segment':{'endIndex':7},'groundingChunkIndices':[0]}]}}],'usageMetadata':{'promptTokenCount':3,'candidatesTokenCount':2}}"),
            Dialect.CHAT,
            List.of(
                    "{'id':'c','choices':[{'index':0,'delta':{'role':'assistant','content':'Añ'}}]}",
                    "{'id':'c','choices':[{'index':0,'delta':{'content':'😀.'}}]}",
                    "{'id':'c','choices':[{'index':0,'delta':{'annotations':[{'type':'url_citation','url_citation':{'start_index':0,'end_index':3,'title':'A','url':'https://a'}}]}}]}",
                    "{'id':'c','choices':[{'index':0,'delta':{},'finish_reason':'stop'}],'usage':{'prompt_tokens':3,'completion_tokens':2}}",
                    "[DONE]"));

    private static final String MESSAGE = "{'id':'msg_1','type':'message','role':'assistant','model':'m','content':["
            + "{'type':'server_tool_use','id':'srvtoolu_1','name':'web_search','input':{'query':'q'}},"
            + "{'type':'web_search_tool_result','tool_use_id':'srvtoolu_1','content':[{'type':'web_search_result','title':'A','url':'https://a','encrypted_content':'x'}]},"
            + "{'type':'text','text':'Añ😀','citations':[{'type':'web_search_result_location','cited_text':'A','url':'https://a','title':'A','encrypted_index':'y'}]},"
            + "{'type':'text','text':'.'},"
            + "{'type':'server_tool_use','id':'srvtoolu_2','name':'code_execution','input':{'code':'1+1'}},"
            + "{'type':'code_execution_tool_result','tool_use_id':'srvtoolu_2','content':{'type':'code_execution_result','stdout':'2','stderr':'','return_code':0,'content':[]}}],"
            + "'stop_reason':'end_turn','usage':{'input_tokens':3,'output_tokens':2}}";

    private static final Map<Dialect, String> TOOLS = Map.of(
            Dialect.RESPONSES,
            "'model':'m','input':'Hi','tools':[{'type':'web_search'}]",
            Dialect.MESSAGES,
            "'model':'m','max_tokens':9,'messages':[{'role':'user','content':'Hi'}],"
                    + "'tools':[{'type':'web_search_20250305','name':'web_search'}]",
            Dialect.GEMINI,
            "'contents':[{'parts':[{'text':'Hi'}]}],'tools':[{'googleSearch':{}}]",
            Dialect.CHAT,
            "'model':'m','messages':[{'role':'user','content':'Hi'}],'stream_options':{'include_usage':true},"
                    + "'web_search_options':{}");

    static Stream<Arguments> pairs() {
        return Recorded.dialects().stream()
                .flatMap(upstream -> Recorded.dialects().stream().map(client -> Arguments.of(upstream, client)));
    }

    @ParameterizedTest(name = "{0} for {1}")
    @MethodSource("pairs")
    void areToldInStreams(Dialect upstream, Dialect client) {
        StreamTranslator translator = translation(client, upstream).stream();

        verify(upstream, client, ClientView.of(client, Recorded.translate(translator, frames(upstream))));
    }

    @ParameterizedTest(name = "{0} for {1}")
    @MethodSource("pairs")
    void areToldInWholeAnswers(Dialect upstream, Dialect client) {
        byte[] body = upstream == Dialect.MESSAGES ? bytes(MESSAGE) : Recorded.whole(upstream, frames(upstream));
        TranslatedAnswer answer = translation(client, upstream).answer(body, null);

        assertThat(answer.status()).isEqualTo(200);
        verify(upstream, client, BodyView.of(client, answer.body()));
    }

    /** Two searches around a thought, by servers that leave out places and ids or repeat them. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            nullValues = "-",
            value = {
                // As specified.
                "'output_index':0, | 'ws_1' | 'output_index':2, | 'ws_2' | 'ws_1' | 'ws_2'",
                // No place.
                "- | 'ws_1' | - | 'ws_2' | 'ws_1' | 'ws_2'",
                // Other ids at the end.
                "'output_index':0, | 'a' | 'output_index':2, | 'b' | 'c' | 'd'",
                "- | 'a' | - | 'b' | 'c' | 'd'",
                // No ids.
                "'output_index':0, | '' | 'output_index':2, | '' | '' | ''",
                "- | '' | - | '' | '' | ''",
            })
    void areToldOnceWhateverTheirPlaceAndId(
            String place, String id, String otherPlace, String otherId, String last, String otherLast) {
        String events = done(place, search(id, "q"))
                + "data: {'type':'response.reasoning_summary_text.delta','item_id':'rs','delta':'Hm'}\n\n"
                + done(place == null ? null : "'output_index':1,", "{'id':'rs','type':'reasoning','summary':[]}")
                + done(otherPlace, search(otherId, "r"))
                + completed(search(last, "q"), "{'id':'rs','type':'reasoning','summary':[]}", search(otherLast, "r"));

        assertThat(usesOf(events)).containsExactly("search: q", "search: r");
    }

    @Test
    void areToldAtTheEndIfOnlyTheirBeginningWasStreamed() {
        String events = done("'output_index':0,", search("'ws_1'", "q"))
                + "data: {'type':'response.output_item.added','output_index':1,'item':{'id':'ws_2','type':'web_search_call'}}\n\n"
                + completed(search("'ws_1'", "q"), search("'ws_2'", "r"));

        assertThat(usesOf(events)).containsExactly("search: q", "search: r");
    }

    @ParameterizedTest
    @ValueSource(strings = {"'output_index':0,", ""})
    void areToldAtTheEndIfOnlyThoughtsWereStreamed(String place) {
        String thought = "{'id':'rs','type':'reasoning','summary':[{'type':'summary_text','text':'Hm'}]}";
        String events = done(place, thought) + completed(thought, search("'ws_1'", "q"), search("'ws_2'", "r"));

        assertThat(usesOf(events)).containsExactly("search: q", "search: r");
    }

    private static String search(String id, String query) {
        return "{'id':" + id + ",'type':'web_search_call','action':{'type':'search','query':'" + query + "'}}";
    }

    private static String done(String place, String item) {
        return "data: {'type':'response.output_item.done'," + (place == null ? "" : place) + "'item':" + item + "}\n\n";
    }

    private static String completed(String... output) {
        return "data: {'type':'response.completed','response':{'id':'r','status':'completed','output':["
                + String.join(",", output) + "]}}\n\n";
    }

    private static List<String> usesOf(String events) {
        StreamTranslator translator = translation(Dialect.MESSAGES, Dialect.RESPONSES).stream();
        List<byte[]> frames = Recorded.frames(bytes(events));
        return ClientView.of(Dialect.MESSAGES, Recorded.translate(translator, frames)).uses;
    }

    private static void verify(Dialect upstream, Dialect client, ClientView view) {
        assertThat(view.text).hasToString("Añ😀.");
        assertThat(view.calls).isEmpty();
        assertThat(view.error).isNull();
        assertThat(view.finish).isEqualTo(view.finishOf(StopReason.END));
        assertThat(view.output).isEqualTo(2);
        assertThat(view.citations).containsExactly(client == Dialect.MESSAGES ? "https://a" : "https://a 0-3");
        if (client != Dialect.CHAT && upstream != Dialect.CHAT) {
            assertThat(view.uses).containsExactlyInAnyOrder("search: q", "code: 1+1 = 2");
        }
    }

    /** Changed, lost and doubled bytes: nothing throws, and no call is invented. */
    @ParameterizedTest
    @EnumSource(names = "UNKNOWN", mode = EnumSource.Mode.EXCLUDE)
    void standAnything(Dialect upstream) {
        Random random = new Random(7);
        List<byte[]> frames = frames(upstream);
        for (int round = 0; round < 400; round++) {
            List<byte[]> mutated = new ArrayList<>();
            for (byte[] frame : frames) {
                byte[] copy = frame.clone();
                int kind = random.nextInt(8);
                if (kind == 0) {
                    copy[6 + random.nextInt(copy.length - 8)] = (byte) "0\"}],:{n".charAt(random.nextInt(8));
                }
                for (int i = kind == 1 ? 2 : kind == 2 ? 0 : 1; i > 0; i--) {
                    mutated.add(copy);
                }
            }
            for (Dialect client : Recorded.dialects()) {
                StreamTranslator translator = translation(client, upstream).stream();
                ClientView view = ClientView.of(client, Recorded.translate(translator, mutated));
                assertThat(view.calls).isEmpty();
            }
        }
    }

    private static Translation translation(Dialect client, Dialect upstream) {
        Translation translation = Translation.of(client, upstream);
        translation.request(bytes("{" + TOOLS.get(client) + "}"), Requests.path(client), null);
        return translation;
    }

    private static List<byte[]> frames(Dialect upstream) {
        StringBuilder stream = new StringBuilder();
        STREAMS.get(upstream)
                .forEach(data -> stream.append("data: ").append(escaped(data)).append("\n\n"));
        return Recorded.frames(stream.toString().getBytes(StandardCharsets.UTF_8));
    }

    /** Single quotes stand for quotes, and {@code \'} for quotes within a string. */
    private static String escaped(String json) {
        return json.replace("\\'", "\\\"").replace('\'', '"');
    }

    private static byte[] bytes(String json) {
        return escaped(json).getBytes(StandardCharsets.UTF_8);
    }
}
