package io.millrace.codec.translate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import io.millrace.codec.dialect.Dialect;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Tools that a provider runs. They become the upstream's tools of the same kind. Tools that the upstream does not have
 * are reported to the client.
 */
class HostedToolsTest {
    private static final String QUOTE = "'";

    @ParameterizedTest(name = "{0} {1} to {2}")
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "RESPONSES | {'type':'web_search'} | MESSAGES | [{'type':'web_search_20250305','name':'web_search'}] | ",
                "RESPONSES | {'type':'web_search_preview'} | GEMINI | [{'googleSearch':{}}] | ",
                "RESPONSES | {'type':'web_search','external_web_access':true,'filters':{'allowed_domains':['a.b']},'user_location':{'type':'approximate','city':'Bern','country':null},'search_context_size':'low'} | MESSAGES"
                        + " | [{'type':'web_search_20250305','name':'web_search','allowed_domains':['a.b'],'user_location':{'type':'approximate','city':'Bern'}}] | tools.search_context_size",
                "RESPONSES | {'type':'web_search','external_web_access':false,'filters':{'allowed_domains':['a.b']}} | GEMINI | [{'googleSearch':{}}] | tools.filters.allowed_domains tools.external_web_access",
                "RESPONSES | {'type':'code_interpreter','container':{'type':'auto'}} | MESSAGES | [{'type':'code_execution_20250825','name':'code_execution'}] | ",
                "RESPONSES | {'type':'code_interpreter','container':'cntr_1'} | GEMINI | [{'codeExecution':{}}] | tools.container",
                "RESPONSES | {'type':'code_interpreter','container':{'type':'auto','file_ids':['f']}} | GEMINI | [{'codeExecution':{}}] | tools.container.file_ids",
                "RESPONSES | {'type':'file_search','vector_store_ids':['v']} | MESSAGES | null | file_search",
                "RESPONSES | {'type':'web_search'} | CHAT | null | web_search",
                "MESSAGES | {'type':'web_search_20250305','name':'web_search','max_uses':3,'blocked_domains':['c.d'],'cache_control':{'type':'ephemeral'}} | RESPONSES | [{'type':'web_search'}] | tools.blocked_domains",
                "MESSAGES | {'type':'web_search_20260209','name':'web_search','allowed_domains':['a.b'],'user_location':{'type':'approximate','timezone':'Europe/Zurich'}} | RESPONSES"
                        + " | [{'type':'web_search','filters':{'allowed_domains':['a.b']},'user_location':{'type':'approximate','timezone':'Europe/Zurich'}}] | ",
                "MESSAGES | {'type':'web_fetch_20250910','name':'web_fetch','max_uses':2} | GEMINI | [{'urlContext':{}}] | tools.max_uses",
                "MESSAGES | {'type':'web_fetch_20250910','name':'web_fetch'} | RESPONSES | null | web_fetch_20250910",
                "MESSAGES | {'type':'code_execution_20260120','name':'code_execution'} | RESPONSES | [{'type':'code_interpreter','container':{'type':'auto'}}] | ",
                "GEMINI | {'googleSearch':{}} | RESPONSES | [{'type':'web_search'}] | ",
                "GEMINI | {'google_search':{'exclude_domains':['c.d']}} | MESSAGES | [{'type':'web_search_20250305','name':'web_search','blocked_domains':['c.d']}] | ",
                "GEMINI | {'codeExecution':{},'urlContext':{}} | MESSAGES | [{'type':'web_fetch_20250910','name':'web_fetch'},{'type':'code_execution_20250825','name':'code_execution'}] | ",
                "GEMINI | {'googleMaps':{}} | MESSAGES | null | googleMaps",
            })
    void becomeThoseOfTheUpstream(Dialect client, String tool, Dialect upstream, String tools, String dropped) {
        TranslatedRequest request = request(client, upstream, body(client, tool, null, ""));

        JsonNode body = json(request.body());
        assertThat(body.has("tools") ? body.get("tools").toString() : "null").isEqualTo(quoted(tools));
        assertThat(String.join(
                        " ", request.dropped().stream().map(DroppedField::name).toList()))
                .isEqualTo(dropped == null ? "" : dropped);
    }

    @ParameterizedTest(name = "{0} {2} to {3}")
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "RESPONSES | {'type':'web_search'} | {'type':'web_search_preview'} | MESSAGES | {'type':'tool','name':'web_search'}",
                "RESPONSES | {'type':'code_interpreter'} | {'type':'code_interpreter'} | MESSAGES | {'type':'tool','name':'code_execution'}",
                "RESPONSES | {'type':'web_search'} | 'required' | MESSAGES | {'type':'any'}",
                "MESSAGES | {'type':'web_search_20250305','name':'web_search'} | {'type':'tool','name':'web_search'} | RESPONSES | {'type':'web_search'}",
                "MESSAGES | {'type':'code_execution_20250825','name':'code_execution'} | {'type':'tool','name':'code_execution'} | RESPONSES | {'type':'code_interpreter'}",
                "MESSAGES | {'type':'web_search_20250305','name':'web_search'} | {'type':'any'} | RESPONSES | 'required'",
                "MESSAGES | {'type':'web_search_20250305','name':'web_search'} | {'type':'auto'} | RESPONSES | 'auto'",
            })
    void areForcedWhereTheUpstreamCan(Dialect client, String tool, String choice, Dialect upstream, String written) {
        JsonNode body =
                json(request(client, upstream, body(client, tool, choice, "")).body());

        assertThat(body.get("tool_choice")).hasToString(quoted(written));
        assertThat(body.get("tools")).hasSize(1);
    }

    @ParameterizedTest(name = "{0} {2} to {3}")
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "MESSAGES | {'type':'web_search_20250305','name':'web_search'} | {'type':'tool','name':'web_search'} | GEMINI",
                "MESSAGES | {'type':'web_search_20250305','name':'web_search'} | {'type':'any'} | GEMINI",
                "MESSAGES | {'type':'web_search_20250305','name':'web_search'} | {'type':'tool','name':'web_search'} | CHAT",
                "MESSAGES | {'type':'web_fetch_20250910','name':'web_fetch'} | {'type':'tool','name':'web_fetch'} | RESPONSES",
                "RESPONSES | {'type':'file_search'} | {'type':'file_search'} | MESSAGES",
                "RESPONSES | {'type':'web_search'} | {'type':'code_interpreter'} | MESSAGES",
            })
    void areRefusedWhereItCannot(Dialect client, String tool, String choice, Dialect upstream) {
        assertThatThrownBy(() -> request(client, upstream, body(client, tool, choice, "")))
                .isInstanceOfSatisfying(
                        TranslationException.class,
                        e -> assertThat(e.param()).startsWith(client == Dialect.GEMINI ? "toolConfig" : "tool_choice"));
    }

    @ParameterizedTest
    @CsvSource({"MESSAGES, 2", "RESPONSES, 2", "GEMINI, 1", "CHAT, 1"})
    void standBesideFunctionsWhereTheyMay(Dialect upstream, int tools) {
        Dialect client = upstream == Dialect.RESPONSES ? Dialect.MESSAGES : Dialect.RESPONSES;
        String search = client == Dialect.RESPONSES
                ? "{'type':'web_search'}"
                : "{'type':'web_search_20250305','name':'web_search'}";
        String function = client == Dialect.RESPONSES
                ? ",{'type':'function','name':'f','parameters':{}}"
                : ",{'name':'f','input_schema':{'type':'object'}}";
        TranslatedRequest request = request(client, upstream, body(client, search + function, null, ""));

        assertThat(json(request.body()).get("tools")).hasSize(tools);
        assertThat(request.dropped()).hasSize(2 - tools);
    }

    @ParameterizedTest
    @CsvSource({"MESSAGES", "RESPONSES"})
    void areLeftOutBesideAFunctionOfTheirName(Dialect upstream) {
        Dialect client = upstream == Dialect.RESPONSES ? Dialect.MESSAGES : Dialect.RESPONSES;
        String tools = client == Dialect.RESPONSES
                ? "{'type':'function','name':'web_search','parameters':{}},{'type':'web_search'}"
                : "{'name':'web_search','input_schema':{'type':'object'}},{'type':'web_search_20250305','name':'web_search'}";
        TranslatedRequest request = request(client, upstream, body(client, tools, null, ""));

        assertThat(json(request.body()).get("tools")).hasSize(1);
        assertThat(request.dropped()).hasSize(1);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "gpt-5-search-api    | {'search_context_size':'high','user_location':{'type':'approximate','approximate':{'city':'Bern'}}} | ",
                "openai/gpt-4o-search-preview | {'search_context_size':'high','user_location':{'type':'approximate','approximate':{'city':'Bern'}}} | ",
                "sonar-pro           | {'search_context_size':'high','user_location':{'type':'approximate','approximate':{'city':'Bern'}}} | ",
                "gpt-5               | null | web_search",
            })
    void areOptionsOfChatModelsThatSearch(String model, String options, String dropped) {
        String tool =
                "{'type':'web_search','search_context_size':'high','user_location':{'type':'approximate','city':'Bern'}}";
        Translation translation = Translation.of(Dialect.RESPONSES, Dialect.CHAT);
        TranslatedRequest request =
                translation.request(body(Dialect.RESPONSES, tool, null, ""), Requests.path(Dialect.RESPONSES), model);

        assertThat(String.valueOf(json(request.body()).get("web_search_options")))
                .isEqualTo(quoted(options));
        assertThat(request.dropped()).hasSize(dropped == null ? 0 : 1);
    }

    @ParameterizedTest
    @CsvSource({"MESSAGES", "GEMINI", "RESPONSES"})
    void areReadFromChat(Dialect upstream) {
        byte[] body = bytes("{'model':'m','messages':[{'role':'user','content':'Hi'}],'web_search_options':{}}");
        TranslatedRequest request = request(Dialect.CHAT, upstream, body);

        assertThat(json(request.body()).get("tools")).hasSize(1);
        assertThat(request.dropped()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{'type':'web_search_20250305','name':'web_search','max_uses':3} | 3",
                "{'type':'web_search_20250305','name':'web_search','max_uses':3},{'type':'code_execution_20250825','name':'code_execution'} | null",
            })
    void countTheirUsesTogetherInResponses(String tools, String limit) {
        TranslatedRequest request =
                request(Dialect.MESSAGES, Dialect.RESPONSES, body(Dialect.MESSAGES, tools, null, ""));

        assertThat(String.valueOf(json(request.body()).get("max_tool_calls"))).isEqualTo(limit);
        assertThat(json(request.body()).get("include").toString()).contains("web_search_call.action.sources");
    }

    @ParameterizedTest
    @CsvSource({"MESSAGES, 5", "GEMINI, 0"})
    void areLimitedByAResponsesRequestAsAWhole(Dialect upstream, int uses) {
        TranslatedRequest request = request(
                Dialect.RESPONSES,
                upstream,
                body(Dialect.RESPONSES, "{'type':'web_search'}", null, ",'max_tool_calls':5"));

        assertThat(json(request.body()).at("/tools/0/max_uses").asInt()).isEqualTo(uses);
        assertThat(request.dropped().stream().map(DroppedField::name).toList())
                .isEqualTo(uses == 0 ? List.of("max_tool_calls") : List.of());
    }

    private static TranslatedRequest request(Dialect client, Dialect upstream, byte[] body) {
        return Translation.of(client, upstream).request(body, Requests.path(client), null);
    }

    private static byte[] body(Dialect client, String tools, String choice, String more) {
        String chosen = choice == null ? "" : ",'tool_choice':" + choice;
        String said = switch (client) {
            case RESPONSES -> "'model':'m','input':'Hi'";
            case GEMINI -> "'contents':[{'parts':[{'text':'Hi'}]}]";
            default -> "'model':'m','max_tokens':9,'messages':[{'role':'user','content':'Hi'}]";
        };
        return bytes("{" + said + ",'tools':[" + tools + "]" + chosen + more + "}");
    }

    private static byte[] bytes(String json) {
        return quoted(json).getBytes(StandardCharsets.UTF_8);
    }

    private static String quoted(String json) {
        return json.replace(QUOTE, "\"");
    }

    private static JsonNode json(byte[] body) {
        return Json.parseObject(body, 0, body.length);
    }
}
