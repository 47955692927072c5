package io.millrace.server.tls;

import io.millrace.server.memory.WarmBuffers;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.ssl.ReferenceCountedOpenSslEngine;
import io.netty.handler.ssl.SslHandler;
import java.nio.ByteBuffer;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/**
 * Encrypts what one connection sends, past its {@link SslHandler}. The handler must have nothing to write. Only for
 * BoringSSL, whose engine keeps no bytes between two calls. Confined to the connection's event loop.
 */
public final class Sealer {
    /** The longest plaintext, which is a record's (RFC 8446 section 5.1). */
    private static final int MAX_PLAINTEXT = 16 * 1024;
    /** More than the head, the padding and the tag of two records. */
    private static final int OVERHEAD = 512;

    private final SSLEngine engine;
    private final WarmBuffers buffers = WarmBuffers.current();

    private Sealer(SSLEngine engine) {
        this.engine = engine;
    }

    /** For {@code tls}, whose handshake is over; null if its engine cannot be used so. */
    public static @Nullable Sealer of(SslHandler tls) {
        return tls.engine() instanceof ReferenceCountedOpenSslEngine engine ? new Sealer(engine) : null;
    }

    /**
     * Encrypts {@code plain}, and skips what was encrypted: all of it, if it has the length of a record at most.
     *
     * @return what must be sent before anything else, even if {@code plain} was not encrypted; null for nothing
     */
    public @Nullable ByteBuf seal(ByteBuf plain, ByteBufAllocator alloc) {
        int length = plain.readableBytes();
        if (length == 0 || length > MAX_PLAINTEXT || plain.nioBufferCount() != 1) {
            return null;
        }
        ByteBuf sealed = buffers.take(alloc, length + OVERHEAD);
        try {
            SSLEngineResult result =
                    engine.wrap(bytesOf(plain, length), sealed.internalNioBuffer(0, sealed.writableBytes()));
            plain.skipBytes(result.bytesConsumed());
            sealed.writerIndex(result.bytesProduced());
        } catch (SSLException e) {
            sealed.writerIndex(0); // the handler's own call fails in the same way, and reports it
        }
        if (sealed.isReadable()) {
            return sealed;
        }
        buffers.giveBack(sealed);
        return null;
    }

    /** The view that the buffer keeps for itself. A slice would make one for each call. */
    private static ByteBuffer bytesOf(ByteBuf plain, int length) {
        ByteBuf whole = plain.unwrap();
        if (whole == null || !plain.hasMemoryAddress() || !whole.hasMemoryAddress()) {
            return plain.internalNioBuffer(plain.readerIndex(), length);
        }
        long start = plain.memoryAddress() - whole.memoryAddress();
        return whole.internalNioBuffer((int) start + plain.readerIndex(), length);
    }
}
