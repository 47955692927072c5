package io.millrace.server;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaConstructorCall;
import com.tngtech.archunit.library.dependencies.SliceAssignment;
import com.tngtech.archunit.library.dependencies.SliceIdentifier;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpMessage;
import io.netty.handler.codec.http.HttpUtil;
import org.junit.jupiter.api.Test;

/** The rules about which room may use which. */
class ArchitectureTest {
    @Test
    void theCodecKnowsNoServer() {
        noClasses()
                .that()
                .resideInAPackage("io.millrace.codec..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("io.millrace.server..", "io.netty.handler.codec.http..", "org.slf4j..")
                .check(ProductClasses.ALL);
    }

    @Test
    void onlyTheRelayKnowsBothSides() {
        noClasses()
                .that()
                .resideInAPackage("..server.downstream..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("..server.upstream..", "..server.relay..")
                .check(ProductClasses.ALL);
        noClasses()
                .that()
                .resideInAPackage("..server.upstream..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("..server.downstream..", "..server.relay..")
                .check(ProductClasses.ALL);
    }

    /** Only the connection that sends a message decides how it is written. */
    @Test
    void theRelayNamesNothingOfHttp1() {
        noClasses()
                .that()
                .resideInAPackage("..server.relay..")
                .should()
                .dependOnClassesThat()
                .haveNameMatching(".*\\.(HttpVersion|HttpContent|LastHttpContent|ChunkedBody|HeadWriter)")
                .orShould()
                .dependOnClassesThat()
                .haveNameMatching(".*\\.(Http1.*|DefaultHttpRe(quest|sponse)|DefaultFullHttp.*)")
                .orShould()
                .callMethod(HttpUtil.class, "isTransferEncodingChunked", HttpMessage.class)
                .orShould()
                .callMethod(HttpUtil.class, "isKeepAlive", HttpMessage.class)
                .orShould()
                .accessField(HttpHeaderNames.class, "TRANSFER_ENCODING")
                .orShould()
                .accessField(HttpHeaderNames.class, "CONNECTION")
                .check(ProductClasses.ALL);
    }

    @Test
    void theSmallRoomsKnowNeitherSide() {
        noClasses()
                .that()
                .resideInAnyPackage(
                        "..server.balance..",
                        "..server.http..",
                        "..server.timing..",
                        "..server.tls..",
                        "..server.chat..",
                        "..server.config..",
                        "..server.telemetry..",
                        "..server.access..",
                        "..server.listen..",
                        "..server.limit..",
                        "..server.redis..",
                        "..server.transport..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(
                        "..server.downstream..", "..server.upstream..", "..server.relay..", "..server.cli..")
                .check(ProductClasses.ALL);
    }

    @Test
    void theRecordsOfTheConfigurationKnowNoFile() {
        noClasses()
                .that()
                .resideInAPackage("..server.config")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("..server.config.file..")
                .check(ProductClasses.ALL);
    }

    /**
     * A call with twelve durations easily has them in the wrong order. So large records are made by their builders, by
     * name.
     */
    @Test
    void largeRecordsOfTheConfigurationAreMadeByNameOnly() {
        var large = new DescribedPredicate<JavaConstructorCall>("a record has more than seven components") {
            @Override
            public boolean test(JavaConstructorCall call) {
                return call.getTargetOwner().getPackageName().equals("io.millrace.server.config")
                        && call.getTarget().getRawParameterTypes().size() > 7;
            }
        };
        noClasses().should().callConstructorWhere(large).check(ProductClasses.ALL);
    }

    /** So its classes are loaded only where Redis is configured. */
    @Test
    void onlyOneRoomKnowsTheClientOfRedis() {
        noClasses()
                .that()
                .resideOutsideOfPackage("..server.redis..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("io.lettuce..", "reactor..", "org.reactivestreams..")
                .check(ProductClasses.ALL);
        noClasses()
                .that()
                .resideOutsideOfPackages("..server.redis..", "..server.relay..", "..server.cli..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("..server.redis..")
                .check(ProductClasses.ALL);
    }

    /** So its classes are loaded only where a collector is configured. */
    @Test
    void onlyOneRoomKnowsOpenTelemetry() {
        noClasses()
                .that()
                .resideOutsideOfPackage("..server.telemetry.otlp..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("io.opentelemetry..")
                .check(ProductClasses.ALL);
        noClasses()
                .that()
                .resideOutsideOfPackages("..server.telemetry.otlp..", "io.millrace.server")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("..server.telemetry.otlp..")
                .check(ProductClasses.ALL);
    }

    @Test
    void onlyCommandsAndTheWarmUpKnowTheMock() {
        noClasses()
                .that()
                .resideOutsideOfPackages(
                        "..server.mock..", "..server.warmup..", "..server.cli..", "io.millrace.bench..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("..server.mock..")
                .check(ProductClasses.ALL);
    }

    @Test
    void nothingKnowsTheCommandLine() {
        noClasses()
                .that()
                .resideOutsideOfPackages("..server.cli..", "io.millrace.bench..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("..server.cli..")
                .check(ProductClasses.ALL);
    }

    /**
     * Convenient classes of Netty that hold whole messages, inflate without a limit, or parse what is never sent here.
     */
    @Test
    void nettysUnboundedClassesAreUsedByNothing() {
        String names = "HttpObjectAggregator|HttpContentCompressor|HttpContentDecompressor|HttpContentDecoder"
                + "|HttpServerCodec|HttpClientCodec|HttpConversionUtil|Http2FrameCodec.*|Http2MultiplexHandler"
                + "|InboundHttp2ToHttpAdapter.*|Http2StreamFrameToHttpObjectCodec|SniHandler|IpSubnetFilter.*";
        noClasses()
                .should()
                .dependOnClassesThat()
                .haveNameMatching("io\\.netty\\..*\\.(" + names + ")")
                .orShould()
                .dependOnClassesThat()
                .resideInAnyPackage("io.netty.handler.codec.haproxy..", "io.netty.handler.codec.spdy..")
                .check(ProductClasses.ALL);
    }

    /**
     * Tests use the mock as the definition of a dialect. A fault in code that it shared with the codec would not be
     * noticed.
     */
    @Test
    void theMockKnowsNoCodec() {
        noClasses()
                .that()
                .resideInAPackage("..server.mock..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("io.millrace.codec..")
                .check(ProductClasses.ALL);
    }

    @Test
    void noPackagesDependOnEachOther() {
        slices().matching("io.millrace.(**)").should().beFreeOfCycles().check(ProductClasses.ALL);
    }

    /** If a file of the relay uses another, the other does not use it, directly or indirectly. */
    @Test
    void noFilesOfTheRelayDependOnEachOther() {
        slices().assignedFrom(new FileOfTheRelay()).should().beFreeOfCycles().check(ProductClasses.ALL);
    }

    /** One slice for each outermost class. */
    private static final class FileOfTheRelay implements SliceAssignment {
        @Override
        public SliceIdentifier getIdentifierOf(JavaClass type) {
            String name = type.getName().replaceFirst("\\$.*", "");
            return type.getPackageName().equals("io.millrace.server.relay")
                    ? SliceIdentifier.of(name)
                    : SliceIdentifier.ignore();
        }

        @Override
        public String getDescription() {
            return "files of the relay";
        }
    }
}
