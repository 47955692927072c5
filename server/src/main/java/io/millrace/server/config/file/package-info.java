/**
 * Reads a configuration from a file (YAML or JSON), variables and flags, and writes it as YAML.
 *
 * <p>{@link io.millrace.server.config.file.ConfigLoader} reads, {@link io.millrace.server.config.file.EffectiveConfig}
 * writes. Each value of the file knows its line and column, so that each error names its place.
 */
@NullMarked
package io.millrace.server.config.file;

import org.jspecify.annotations.NullMarked;
