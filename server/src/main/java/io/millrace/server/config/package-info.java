/**
 * The settings of the relay: immutable records, whose constructors check every value. {@link
 * io.millrace.server.config.RelayConfig} holds the others. The package {@code config.file} reads and writes them. They
 * do not depend on it.
 */
@NullMarked
package io.millrace.server.config;

import org.jspecify.annotations.NullMarked;
