package io.millrace.server.warmup;

import io.millrace.server.config.Listener.Protocol;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import org.jspecify.annotations.Nullable;

/**
 * How clients reach the relay.
 *
 * @param tls null where connections are in the clear
 */
record Way(int port, @Nullable SSLContext tls, Protocol protocol) {
    private static final int SILENCE_LIMIT_MS = 10_000;

    /** The name for people. */
    String label() {
        return protocol.label() + (tls == null ? "" : " with TLS");
    }

    /** A client that comes this way. */
    StreamClient newClient() {
        return switch (protocol) {
            case HTTP_1_1 -> new Http1Client(this);
            case H2 -> new Http2Client(this);
        };
    }

    /**
     * Opens a connection.
     *
     * @param receiveBytes the size of its receive buffer; 0 for the system's
     */
    Socket connect(int receiveBytes) throws IOException {
        var socket = new Socket();
        try {
            if (receiveBytes > 0) {
                socket.setReceiveBufferSize(receiveBytes);
            }
            socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
            socket.setTcpNoDelay(true);
            socket.setSoTimeout(SILENCE_LIMIT_MS);
            return tls == null ? socket : secure(tls, socket);
        } catch (IOException e) {
            socket.close();
            throw e;
        }
    }

    private Socket secure(SSLContext context, Socket socket) throws IOException {
        var secure = (SSLSocket) context.getSocketFactory().createSocket(socket, "localhost", port, true);
        SSLParameters parameters = secure.getSSLParameters();
        parameters.setApplicationProtocols(new String[] {protocol.label()});
        secure.setSSLParameters(parameters);
        secure.startHandshake();
        return secure;
    }
}
