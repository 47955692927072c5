package io.millrace.server.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.netty.channel.epoll.Epoll;
import io.netty.channel.unix.DomainSocketAddress;
import io.netty.channel.unix.Socket;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Tag("sockets")
class ServiceManagerTest {
    @TempDir
    private Path directory;

    private Socket manager;

    @BeforeEach
    void open() {
        assumeTrue(Epoll.isAvailable(), "systemd is on Linux only");
        manager = Socket.newSocketDomainDgram();
    }

    @AfterEach
    void close() throws IOException {
        manager.close();
    }

    @Test
    void isToldAtAPath() throws IOException {
        Path path = directory.resolve("notify");
        manager.bind(new DomainSocketAddress(path.toString()));
        isToldAt(path.toString());
    }

    @Test
    void isToldAtAnAbstractName() throws IOException {
        String name = "millrace-test-" + ProcessHandle.current().pid();
        manager.bind(new DomainSocketAddress("\0" + name));
        isToldAt("@" + name);
    }

    @Test
    void nobodyThereIsNoFailure() {
        new ServiceManager(Map.of()).ready();
        new ServiceManager(Map.of("NOTIFY_SOCKET", directory.resolve("nobody").toString())).ready();
    }

    private void isToldAt(String address) {
        var told = new ServiceManager(Map.of("NOTIFY_SOCKET", address));
        told.ready();
        assertThat(receive())
                .isEqualTo("READY=1\nMAINPID=" + ProcessHandle.current().pid());
        told.stopping();
        assertThat(receive()).isEqualTo("STOPPING=1");
    }

    private String receive() {
        ByteBuffer into = ByteBuffer.allocateDirect(256);
        int length = await().until(() -> manager.read(into, 0, 256), read -> read > 0);
        var bytes = new byte[length];
        into.get(bytes);
        return new String(bytes, StandardCharsets.UTF_8);
    }
}
