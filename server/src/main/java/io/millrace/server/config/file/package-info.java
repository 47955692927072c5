/**
 * Reads a configuration from a file (YAML or JSON), variables and flags, and writes it as YAML.
 *
 * <p>The doors are {@link io.millrace.server.config.file.ConfigLoader}, which reads, and
 * {@link io.millrace.server.config.file.EffectiveConfig}, which writes. Each value of the file knows its line and
 * column, so that each error has its place. A configuration is a draft until everything was read and checked. The room
 * holds no Netty buffer.
 */
@NullMarked
package io.millrace.server.config.file;

import org.jspecify.annotations.NullMarked;
