package io.millrace.server.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.millrace.server.config.RelayConfig.AccessLog;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

class LineLogTest {
    private static final Logger ACCESS = LoggerFactory.getLogger("millrace.access");

    @TempDir
    private Path directory;

    @AfterEach
    void switchOff() {
        LineLog.install(AccessLog.OFF);
    }

    @Test
    void writesLinesAsTheyAreToTheFileOfTheMoment() throws IOException {
        var first = directory.resolve("first.log");
        var second = directory.resolve("second.log");

        LineLog.install(new AccessLog(AccessLog.Format.TEXT, first));
        ACCESS.info("path=/é status=200");
        LineLog.install(new AccessLog(AccessLog.Format.JSON, second));
        ACCESS.info("{\"status\":200}");
        LineLog.install(AccessLog.OFF);
        ACCESS.info("not to be seen");

        assertThat(first).content().isEqualTo("path=/é status=200" + System.lineSeparator());
        assertThat(second).content().isEqualTo("{\"status\":200}" + System.lineSeparator());
    }

    @Test
    void opensTheFileAnewSoThatItCanBeRotated() throws IOException {
        var file = directory.resolve("access.log");
        var log = new AccessLog(AccessLog.Format.TEXT, file);

        LineLog.install(log);
        ACCESS.info("before");
        Files.move(file, directory.resolve("access.log.1"));
        LineLog.install(log);
        ACCESS.info("after");
        LineLog.install(AccessLog.OFF);

        assertThat(file).content().isEqualTo("after" + System.lineSeparator());
    }

    @RepeatedTest(10)
    void losesNoLineWhileTheFileIsRotated() throws Exception {
        var first = directory.resolve("first.log");
        var second = directory.resolve("second.log");
        LineLog.install(new AccessLog(AccessLog.Format.TEXT, first));
        int lines = 20_000;
        var writer = new Thread(() -> IntStream.range(0, lines).forEach(i -> ACCESS.info("line {}", i)));

        writer.start();
        await().until(() -> Files.size(first) > 0);
        LineLog.install(new AccessLog(AccessLog.Format.TEXT, second));
        writer.join();
        LineLog.install(AccessLog.OFF);

        var seen = new HashSet<>(Files.readAllLines(first));
        seen.addAll(Files.readAllLines(second));
        assertThat(seen).hasSize(lines);
    }

    @Test
    void fileThatCannotBeWrittenIsToldAndTheOldOneStays() throws IOException {
        var file = directory.resolve("access.log");
        LineLog.install(new AccessLog(AccessLog.Format.TEXT, file));

        var directoryItself = new AccessLog(AccessLog.Format.TEXT, directory);
        assertThatThrownBy(() -> LineLog.install(directoryItself))
                .hasMessage("accessLog: " + directory + " cannot be written: " + directory + " (Is a directory)");

        ACCESS.info("still here");
        LineLog.install(AccessLog.OFF);
        assertThat(file).content().isEqualTo("still here" + System.lineSeparator());
    }

    @Test
    void linesThatCannotBeWrittenAreToldOnceAndCounted() {
        var told = new ListAppender<ILoggingEvent>();
        var logger = (ch.qos.logback.classic.Logger) LoggerFactory.getLogger(LineAppender.class);
        told.start();
        logger.addAppender(told);
        try {
            long before = LineLog.ACCESS.lost();
            LineLog.install(new AccessLog(AccessLog.Format.TEXT, Path.of("/dev/full")));
            for (int i = 0; i < 10; i++) {
                ACCESS.info("line {}\nand another", i);
            }
            LineLog.install(AccessLog.OFF);

            assertThat(LineLog.ACCESS.lost() - before).isEqualTo(20);
            assertThat(told.list)
                    .singleElement()
                    .satisfies(event -> assertThat(event.getFormattedMessage())
                            .contains("cannot be written to /dev/full", "No space left on device"));
        } finally {
            logger.detachAppender(told);
        }
    }
}
