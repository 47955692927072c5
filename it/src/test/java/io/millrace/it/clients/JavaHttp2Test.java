package io.millrace.it.clients;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.it.clients.CurlTest.Api;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import okhttp3.Call;
import okhttp3.Callback;
import okhttp3.Dispatcher;
import okhttp3.MediaType;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.RequestBody;
import okhttp3.Response;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;

/** Many streams at once over TLS and HTTP/2, with the JDK's client and with the client of the official Java SDKs. */
final class JavaHttp2Test {
    private static final TestTls TLS = TestTls.make();
    private static final int AT_ONCE = 150;

    private static Bed bed;

    @BeforeAll
    static void start() {
        bed = new Bed(TLS);
    }

    @AfterAll
    static void stop() {
        bed.close();
    }

    /** More than a connection may have. The client must still get all of them. */
    @RepeatedTest(3)
    void okHttpGetsEveryStream() throws InterruptedException {
        var dispatcher = new Dispatcher();
        dispatcher.setMaxRequests(AT_ONCE);
        dispatcher.setMaxRequestsPerHost(AT_ONCE);
        var client = new OkHttpClient.Builder()
                .dispatcher(dispatcher)
                .sslSocketFactory(TLS.client().getSocketFactory(), TLS.trust())
                .build();
        var whole = new AtomicInteger();
        var failures = new ConcurrentLinkedQueue<String>();
        var ended = new CountDownLatch(AT_ONCE);
        for (int i = 0; i < AT_ONCE; i++) {
            client.newCall(new Request.Builder()
                            .url(Api.CHAT.url(bed.relay(), ""))
                            .post(RequestBody.create(
                                    Api.CHAT.request("mock:tokens=10,gap_ms=20"), MediaType.get("application/json")))
                            .build())
                    .enqueue(new Callback() {
                        @Override
                        public void onFailure(Call call, IOException e) {
                            failures.add(e.toString());
                            ended.countDown();
                        }

                        @Override
                        public void onResponse(Call call, Response response) {
                            try (response) {
                                String body = response.body().string();
                                if (response.code() == 200 && body.contains("data: [DONE]")) {
                                    whole.incrementAndGet();
                                } else {
                                    failures.add(response.code() + " " + body);
                                }
                            } catch (IOException e) {
                                failures.add(e.toString());
                            } finally {
                                ended.countDown();
                            }
                        }
                    });
        }
        assertThat(ended.await(60, TimeUnit.SECONDS)).isTrue();
        client.connectionPool().evictAll();
        dispatcher.executorService().shutdown();
        assertThat(failures).isEmpty();
        assertThat(whole).hasValue(AT_ONCE);
    }

    @Test
    void theJdksClientGetsEveryStreamOverFewConnections() {
        var client = HttpClient.newBuilder().sslContext(TLS.client()).build();
        assertThat(client.sendAsync(request("mock:tokens=1"), HttpResponse.BodyHandlers.ofString())
                        .join()
                        .version())
                .isEqualTo(HttpClient.Version.HTTP_2);
        var answers = new ArrayList<CompletableFuture<HttpResponse<String>>>();
        for (int i = 0; i < 90; i++) {
            answers.add(client.sendAsync(request("mock:tokens=10,gap_ms=20"), HttpResponse.BodyHandlers.ofString()));
        }
        assertThat(answers)
                .allSatisfy(answer ->
                        assertThat(answer.get(60, TimeUnit.SECONDS).body()).contains("data: [DONE]"));
    }

    /** A client that leaves some streams of a connection ends only these streams. */
    @Test
    void theJdksClientLeavesSomeStreamsOfMany() {
        var client = HttpClient.newBuilder().sslContext(TLS.client()).build();
        var answers = new ArrayList<CompletableFuture<HttpResponse<String>>>();
        for (int i = 0; i < 40; i++) {
            answers.add(client.sendAsync(request("mock:tokens=100,gap_ms=20"), HttpResponse.BodyHandlers.ofString()));
        }
        Awaitility.await().until(() -> bed.metrics().contains("millrace_active_exchanges 40"));
        for (int i = 0; i < 20; i++) {
            answers.get(i).cancel(true);
        }
        Awaitility.await().until(() -> bed.metrics().contains("millrace_active_exchanges 20"));
        assertThat(answers.subList(20, 40))
                .allSatisfy(answer ->
                        assertThat(answer.get(60, TimeUnit.SECONDS).body()).contains("data: [DONE]"));
    }

    private static HttpRequest request(String model) {
        return HttpRequest.newBuilder(URI.create(Api.CHAT.url(bed.relay(), "")))
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(Api.CHAT.request(model)))
                .build();
    }
}
