package io.millrace.server.relay;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.codec.dialect.Dialect;
import io.millrace.codec.dialect.RelayError;
import io.millrace.server.config.Route.Heartbeat;
import io.millrace.server.format.DialectSide;
import io.millrace.server.http.Refusal;
import io.millrace.server.telemetry.Outcome;
import io.millrace.server.telemetry.Summary;
import io.millrace.server.telemetry.Timeline;
import io.millrace.server.telemetry.Tracing;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.DefaultHttpRequest;
import io.netty.handler.codec.http.DefaultHttpResponse;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Each part of an answer that a client may have, with each way in which it may end. */
class ClientAnswerTest implements ClientAnswer.Listener {
    private static final Heartbeat EARLY =
            Heartbeat.DEFAULT.with(h -> h.interval = Duration.ofSeconds(1)).with(h -> h.early = true);
    private static final long SECOND = Duration.ofSeconds(1).toNanos();

    private final ExchangeBed bed = new ExchangeBed(route -> route, "a");
    private final List<String> told = new ArrayList<>();
    private RequestBody body;
    private ClientAnswer answer;
    private AnswerTerms terms;
    private StreamRelay stream;
    private PlainRelay plain;

    /** The part of the answer that the client has. */
    private enum Has {
        NOTHING,
        HEARTBEATS,
        HELD_BODY,
        BODY,
        STREAM,
        HALF_FRAME,
        WHOLE_STREAM
    }

    @AfterEach
    void close() {
        if (stream != null) {
            stream.release();
        }
        if (plain != null) {
            plain.release();
        }
        body.drop();
        bed.close();
    }

    @ParameterizedTest
    @CsvSource({
        // what the client has, what comes, how it ends, with which code, as what it counts
        "NOTHING,      refuse,   whole 413,    too_large,        REFUSED",
        "HEARTBEATS,   refuse,   reset 200,    too_large,        REFUSED",
        "HELD_BODY,    refuse,   whole 413,    too_large,        REFUSED",
        "BODY,         refuse,   reset 200,    too_large,        REFUSED",
        "STREAM,       refuse,   reset 200,    too_large,        REFUSED",
        "HALF_FRAME,   refuse,   reset 200,    too_large,        REFUSED",
        "WHOLE_STREAM, refuse,   reset 200,    too_large,        REFUSED",
        "NOTHING,      overload, whole 413,    too_large,        OVERLOADED",
        "HEARTBEATS,   overload, reset 200,    too_large,        OVERLOADED",
        "HELD_BODY,    overload, reset 0,      too_large,        OVERLOADED",
        "BODY,         overload, reset 200,    too_large,        OVERLOADED",
        "STREAM,       overload, reset 200,    too_large,        OVERLOADED",
        "HALF_FRAME,   overload, reset 200,    too_large,        OVERLOADED",
        "WHOLE_STREAM, overload, reset 200,    too_large,        OVERLOADED",
        "NOTHING,      fail,     whole 502,    no_answer,        UPSTREAM_FAILED",
        "HEARTBEATS,   fail,     in error 200, upstream_error,   UPSTREAM_FAILED",
        "HELD_BODY,    fail,     whole 502,    no_answer,        UPSTREAM_FAILED",
        "BODY,         fail,     reset 200,    ,                 UPSTREAM_FAILED",
        "STREAM,       fail,     in error 200, upstream_error,   UPSTREAM_ERROR",
        "HALF_FRAME,   fail,     reset 200,    upstream_error,   UPSTREAM_ERROR",
        "WHOLE_STREAM, fail,     in error 200, upstream_error,   UPSTREAM_ERROR",
        "NOTHING,      fail 400, whole 400,    unsupported,      REFUSED",
        "HEARTBEATS,   fail 400, in error 200, upstream_error,   UPSTREAM_FAILED",
        "NOTHING,      drain,    whole 503,    relay_draining,   REFUSED",
        "HEARTBEATS,   drain,    in error 200, relay_draining,   DRAINED",
        "HELD_BODY,    drain,    whole 503,    relay_draining,   REFUSED",
        "BODY,         drain,    reset 200,    ,                 DRAINED",
        "STREAM,       drain,    in error 200, relay_draining,   DRAINED",
        "HALF_FRAME,   drain,    reset 200,    relay_draining,   DRAINED",
        "WHOLE_STREAM, drain,    whole 200,    ,                 COMPLETED",
        "NOTHING,      cut,      reset 0,      relay_overloaded, OVERLOADED",
        "HEARTBEATS,   cut,      reset 200,    relay_overloaded, OVERLOADED",
        "BODY,         cut,      reset 200,    relay_overloaded, OVERLOADED",
        "STREAM,       cut,      reset 200,    relay_overloaded, OVERLOADED",
        "NOTHING,      stop,     open 0,       ,                 ",
        "HEARTBEATS,   stop,     whole 200,    ,                 STOPPED",
        "HELD_BODY,    stop,     open 0,       ,                 ",
        "BODY,         stop,     open 200,     ,                 ",
        "STREAM,       stop,     whole 200,    ,                 STOPPED",
        "HALF_FRAME,   stop,     open 200,     ,                 ",
        "BODY,         end,      whole 200,    ,                 COMPLETED",
        "STREAM,       end,      whole 200,    ,                 COMPLETED",
        "STREAM,       idle,     in error 200, upstream_idle,    UPSTREAM_IDLE",
        "HALF_FRAME,   idle,     reset 200,    upstream_idle,    UPSTREAM_IDLE",
        "BODY,         broken,   reset 200,    ,                 UPSTREAM_RESET",
    })
    void endsAsWhatTheClientHasAllows(Has has, String how, String end, String code, Outcome outcome) {
        begin(Dialect.CHAT, has);
        end(how);
        assertThat(bed.end()).isEqualTo(end);
        assertThat(answer.isOver()).isEqualTo(outcome != null);
        if (outcome != null) {
            assertThat(told).containsExactly("ending", outcome.name());
            assertThat(answer.summary(outcome).error()).isEqualTo(code);
        }
    }

    @ParameterizedTest
    @EnumSource(Has.class)
    void countsTheBytesThatTheClientGot(Has has) {
        begin(Dialect.CHAT, has);
        answer.leave();
        Summary.Response response = answer.summary(Outcome.CLIENT_GONE);
        assertThat(response.bytes()).isEqualTo(bed.client.body().length());
        assertThat(response.status()).isEqualTo(has == Has.NOTHING ? 0 : 200);
        assertThat(answer.stop()).as("nothing ends twice").isFalse();
        assertThat(told).isEmpty();
    }

    @Test
    void onlyAResetTellsWhereTheProtocolIsNotKnown() {
        begin(Dialect.UNKNOWN, Has.STREAM);
        end("fail");
        assertThat(bed.end()).isEqualTo("reset 200");
        assertThat(told).containsExactly("ending", "UPSTREAM_ERROR");
    }

    @Test
    void heartbeatsGoOnAsAStream() {
        begin(Dialect.CHAT, Has.HEARTBEATS);
        String beats = bed.client.body();
        assertThat(beats).isNotEmpty();
        assertThat(answer.isEarly()).isTrue();
        begin(Has.STREAM);
        assertThat(answer.isEarly()).isFalse();
        assertThat(bed.client.body()).isEqualTo(beats + ExchangeBed.OUTPUT);
        assertThat(answer.summary(Outcome.COMPLETED).bytes()).isEqualTo(beats.length() + ExchangeBed.OUTPUT.length());
    }

    @Test
    void heartbeatsEndInAnErrorForWantOfAStream() {
        begin(Dialect.CHAT, Has.HEARTBEATS);
        plain();
        assertThat(answer.endsEarly(plain)).isTrue();
        assertThat(bed.end()).isEqualTo("in error 200");
        assertThat(bed.client.body()).contains("The upstream answered 200");
        assertThat(told).containsExactly("ending", "UPSTREAM_ERROR");
    }

    @Test
    void beatsOncePerInterval() {
        begin(Dialect.CHAT, Has.NOTHING);
        answer.beat(SECOND - 1, EARLY, 0);
        assertThat(bed.client.status()).isZero();
        answer.beat(SECOND, EARLY, 0);
        String one = bed.client.body();
        answer.beat(2 * SECOND - 1, EARLY, 0);
        assertThat(bed.client.body()).isEqualTo(one);
        answer.beat(2 * SECOND, EARLY, 0);
        assertThat(bed.client.body()).isEqualTo(one + one);
    }

    @Test
    void beatsOnlyIfTheRouteWantsIt() {
        begin(Dialect.CHAT, Has.NOTHING);
        answer.beat(SECOND, EARLY.with(h -> h.early = false), 0);
        answer.beat(SECOND, EARLY.with(h -> h.interval = Duration.ZERO), 0);
        assertThat(bed.client.status()).isZero();
    }

    private void begin(Dialect dialect, Has has) {
        var head = new DefaultHttpRequest(HttpVersion.HTTP_1_1, HttpMethod.POST, ExchangeBed.CHAT);
        body = new RequestBody(bed.client.alloc(), bed.loop.memory());
        var request = new ClientRequest(head, body, DialectSide.of(dialect), false, Tracing.OFF);
        answer = new ClientAnswer(bed.client, request, "r", bed.loop.counters(), this);
        terms = new AnswerTerms(request, "r");
        begin(has);
    }

    private void begin(Has has) {
        switch (has) {
            case NOTHING -> {}
            case HEARTBEATS -> answer.beat(SECOND, EARLY, 0);
            case HELD_BODY -> {
                plain();
                plain.translateBy((status, text) -> null);
                answer.begin(plain);
                plain.commit();
            }
            case BODY -> {
                plain();
                answer.begin(plain);
                plain.commit();
                plain.onBody(Unpooled.copiedBuffer("text", StandardCharsets.UTF_8));
                plain.onReadComplete();
            }
            case STREAM -> stream(ExchangeBed.OUTPUT);
            case HALF_FRAME -> {
                stream(ExchangeBed.OUTPUT);
                read("data: {\"choices\":[{\"delta\":{\"content\":\"" + "a".repeat(2000));
            }
            case WHOLE_STREAM -> stream(ExchangeBed.OUTPUT + ExchangeBed.DONE);
        }
    }

    private void end(String how) {
        switch (how) {
            case "refuse" -> answer.refuse(new Refusal(413, "too_large", "It is too large.", null, null));
            case "overload" -> answer.overload(new Refusal(413, "too_large", "It is too large.", null, null));
            case "fail" -> answer.fail(new Refusal(502, "no_answer", "There is none.", null, null));
            case "fail 400" -> answer.fail(new Refusal(400, "unsupported", "It cannot be said.", null, null));
            case "drain" -> answer.end(OwnEnd.DRAIN);
            case "cut" -> answer.cut();
            case "stop" -> answer.stop();
            case "end" -> {
                if (plain != null) {
                    answer.onPlainEnd();
                } else {
                    answer.onStreamEnd(Ending.asRelayed(Outcome.COMPLETED));
                }
            }
            case "idle" -> answer.onStreamEnd(Ending.withError(RelayError.UPSTREAM_IDLE, "It is silent"));
            case "broken" -> answer.onBroken(Outcome.UPSTREAM_RESET);
            default -> throw new IllegalArgumentException(how);
        }
    }

    private void plain() {
        plain = new PlainRelay(bed.client, head(), null, null, null, null, bed.loop.memory());
    }

    private void stream(String frames) {
        var context = new AttemptContext(
                bed.loop,
                bed.client,
                terms,
                bed.routes.find(ExchangeBed.CHAT, head().headers(), null).route(),
                () -> null,
                false,
                1000);
        var start = new StreamStart(bed.client, head(), () -> answer.begin(stream));
        stream = new StreamRelay(context, new Timeline(), terms.dialect(), null, null, start);
        stream.commit();
        read(frames);
    }

    private void read(String text) {
        ByteBuf raw = Unpooled.copiedBuffer(text, StandardCharsets.UTF_8);
        stream.decode(raw);
        raw.release();
        stream.onReadComplete();
    }

    private static HttpResponse head() {
        return new DefaultHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.OK);
    }

    @Override
    public String streamId() {
        return null;
    }

    @Override
    public void decorate(HttpHeaders headers) {}

    @Override
    public void onEnding() {
        told.add("ending");
    }

    @Override
    public void onEnded(Outcome outcome) {
        told.add(outcome.name());
    }
}
