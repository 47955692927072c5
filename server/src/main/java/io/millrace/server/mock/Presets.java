package io.millrace.server.mock;

import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Specs with the names of models. Each has the typical behaviour of its model, in orders of magnitude. They are not
 * measurements of any service.
 */
final class Presets {
    private static final String KEY = "preset=";

    private static final Map<String, String> SPECS = new TreeMap<>(Map.of(
            "tool-loop",
            "loop=3,reasoning=12",
            "gpt-4o",
            "ttft_ms=lognormal:400:0.3,prefill_tps=10000,gap=exp:13,batch_ms=0.02,output=lognormal:250:0.7",
            "gpt-4o-mini",
            "ttft_ms=lognormal:300:0.3,prefill_tps=20000,gap=exp:9,batch_ms=0.01,output=lognormal:200:0.7",
            "claude-sonnet",
            "ttft_ms=lognormal:800:0.3,prefill_tps=8000,gap=exp:48,tokens_per_frame=3,batch_ms=0.03,"
                    + "output=lognormal:350:0.7",
            "claude-haiku",
            "ttft_ms=lognormal:450:0.3,prefill_tps=20000,gap=exp:24,tokens_per_frame=3,batch_ms=0.02,"
                    + "output=lognormal:250:0.7",
            "gemini-flash",
            "ttft_ms=lognormal:400:0.3,prefill_tps=30000,gap=exp:130,tokens_per_frame=24,batch_ms=0.02,"
                    + "output=lognormal:300:0.7",
            "deepseek-reasoner",
            "ttft_ms=lognormal:900:0.4,prefill_tps=6000,gap=exp:30,batch_ms=0.03,reasoning=400,"
                    + "output=lognormal:300:0.6",
            "llama-70b",
            "ttft_ms=40,prefill_tps=4000,gap=normal:28:2,batch_ms=0.3,output=lognormal:250:0.7",
            "llama-8b",
            "ttft_ms=15,prefill_tps=25000,gap=normal:8:0.6,batch_ms=0.06,output=lognormal:250:0.7"));

    private Presets() {}

    /** The spec of {@code preset=NAME} or of {@code NAME} alone; {@code null} for any other text. */
    static @Nullable String named(String text) {
        String name = text.startsWith(KEY) ? text.substring(KEY.length()).strip() : text;
        String spec = SPECS.get(name);
        if (spec == null && text.startsWith(KEY)) {
            throw new IllegalArgumentException("preset: " + name + " (expected: one of " + names() + ")");
        }
        return spec;
    }

    static String names() {
        return String.join(", ", SPECS.keySet());
    }
}
