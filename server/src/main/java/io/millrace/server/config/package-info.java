/**
 * What the relay is told: immutable records, whose constructors check every value. {@link
 * io.millrace.server.config.RelayConfig} holds the others. The room {@code config.file} reads and writes them; they do
 * not know it.
 */
@NullMarked
package io.millrace.server.config;

import org.jspecify.annotations.NullMarked;
