package io.millrace.server.config.file;

import static io.millrace.server.config.file.Form.DURATION;
import static io.millrace.server.config.file.Form.TEXT;
import static io.millrace.server.config.file.Setting.made;
import static io.millrace.server.config.file.Setting.special;
import static io.millrace.server.config.file.Setting.value;

import io.millrace.server.config.RedisSettings;
import io.millrace.server.config.ResumeStore;

/** The settings of the store in which nodes share their streams. */
final class StoreTables {
    static final Table<ResumeStore> STORE = Table.of(
            ResumeStore.DEFAULT,
            made(
                    "url",
                    ClientTables.REDIS_URL,
                    (ResumeStore s) -> s.redis().url(),
                    (s, v) -> at(s, s.redis().with(r -> r.url = v))),
            special("credential", Shape.texts("env", "file", "user"), s -> EffectiveConfig.credential(s.redis())),
            special("ca", Shape.TEXT, s -> Tables.PATH.write(s.redis().ca())),
            special("secret", Shape.texts("env", "file"), EffectiveConfig::secret),
            value("window", DURATION, ResumeStore::window, (s, v) -> s.window = v),
            value("lease", DURATION, ResumeStore::lease, (s, v) -> s.lease = v),
            made(
                    "prefix",
                    TEXT,
                    (ResumeStore s) -> s.redis().prefix(),
                    (s, v) -> at(s, s.redis().with(r -> r.prefix = v))));

    private StoreTables() {}

    private static ResumeStore at(ResumeStore store, RedisSettings redis) {
        return store.with(s -> s.redis = redis);
    }
}
