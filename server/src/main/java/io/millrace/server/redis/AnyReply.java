package io.millrace.server.redis;

import io.lettuce.core.codec.StringCodec;
import io.lettuce.core.output.CommandOutput;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Decodes any answer: nil is null, a number is a {@code Long}, a text is a {@code byte[]}, and an array is a list. */
final class AnyReply extends CommandOutput<String, String, @Nullable Object> {
    private final Deque<List<@Nullable Object>> outer = new ArrayDeque<>();
    private @Nullable List<@Nullable Object> inner;

    AnyReply() {
        super(StringCodec.UTF8, null);
    }

    private void add(@Nullable Object value) {
        if (inner == null) {
            output = value;
        } else {
            inner.add(value);
        }
    }

    @Override
    public void set(@Nullable ByteBuffer bytes) {
        if (bytes == null) {
            add(null);
            return;
        }
        byte[] copy = new byte[bytes.remaining()];
        bytes.get(copy);
        add(copy);
    }

    @Override
    public void setSingle(ByteBuffer bytes) {
        set(bytes);
    }

    @Override
    public void set(long number) {
        add(number);
    }

    @Override
    public void multi(int count) {
        var list = new ArrayList<@Nullable Object>(Math.max(count, 0));
        add(list);
        if (inner != null) {
            outer.push(inner);
        }
        inner = list;
    }

    @Override
    public void complete(int depth) {
        if (depth > 0 && depth <= outer.size()) {
            inner = outer.pop();
        }
    }
}
