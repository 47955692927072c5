package io.millrace.server.redis;

import io.millrace.server.limit.SharedChange;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/** The scripts that Redis runs. Each call sends the whole text, so that a restarted Redis needs no set-up. */
final class Scripts {
    /** The number of arguments for each key of {@link #TELL}: kind, delta, floor, span. */
    static final int ARGUMENTS = 4;

    /**
     * Adds the changes, and returns the new total for each key. The total of a bucket is the time, in microseconds, at
     * which it is full again. A change was made at some time within the last {@code span}. The bucket may have refilled
     * since then, so the change counts from the beginning of the span. A bucket is kept for two seconds after it is
     * full.
     */
    static final String TELL = """
            local t = redis.call('TIME')
            local now = t[1] * 1000000 + t[2]
            local totals = {}
            for i, key in ipairs(KEYS) do
              local at = i * 4
              local delta, floor, span = tonumber(ARGV[at - 2]), tonumber(ARGV[at - 1]), tonumber(ARGV[at])
              local old = tonumber(redis.call('GET', key) or '')
              local new
              if ARGV[at - 3] == 'BUDGET' then
                new = (old or floor) + delta
                if delta ~= 0 or (not old and new ~= 0) then
                  redis.call('SET', key, string.format('%.0f', new), 'PX', ARGV[at])
                end
                totals[i] = new
              else
                local since = now - math.min(span / 1000, 1000000)
                new = old or math.max(now + floor / 1000, since)
                if delta > 0 then
                  new = math.max(new, since)
                end
                new = new + delta / 1000
                local life = math.ceil((new - now) / 1000) + 2000
                if life > 0 and (delta ~= 0 or (not old and new > now)) then
                  redis.call('SET', key, string.format('%.0f', new), 'PX', string.format('%.0f', life))
                end
                totals[i] = math.floor((new - now) * 1000)
              end
            end
            return totals
            """;

    /** Records that a node is running. Returns the number of nodes that were recorded in the last ten seconds. */
    static final String BEAT = """
            local now = redis.call('TIME')[1]
            redis.call('ZADD', KEYS[1], now, ARGV[1])
            redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - 10)
            redis.call('EXPIRE', KEYS[1], 60)
            return {redis.call('ZCARD', KEYS[1])}
            """;

    private Scripts() {}

    /**
     * Runs a script whose answer is a list of numbers. The link must be {@linkplain RedisLink#isConnected connected}.
     *
     * @param told called on the event loop with the numbers or, if there are none, the refusal; not called if the
     *     connection is lost first
     */
    static void eval(
            RedisLink link,
            String script,
            List<String> keys,
            List<String> arguments,
            BiConsumer<List<Long>, @Nullable String> told) {
        var words = new ArrayList<Object>(3 + keys.size() + arguments.size());
        words.addAll(List.of("EVAL", script, keys.size()));
        words.addAll(keys);
        words.addAll(arguments);
        link.call((answer, refusal) -> told.accept(numbers(answer), refusal), words.toArray());
    }

    private static List<Long> numbers(@Nullable Object answer) {
        var numbers = new ArrayList<Long>();
        if (answer instanceof List<?> list) {
            list.forEach(each -> numbers.add(each instanceof Long number ? number : 0L));
        }
        return numbers;
    }

    /** Adds the arguments of one change. */
    static void add(List<String> arguments, SharedChange change) {
        arguments.add(change.kind().name());
        arguments.add(Long.toString(change.delta()));
        arguments.add(Long.toString(change.floor()));
        arguments.add(Long.toString(change.span()));
    }
}
