/**
 * The settings of the relay: immutable records whose constructors check every value. The door is
 * {@link io.millrace.server.config.RelayConfig}, which contains the others. The package {@code config.file} reads and
 * writes them. They do not depend on it. A record has no states, and holds no buffer.
 */
@NullMarked
package io.millrace.server.config;

import org.jspecify.annotations.NullMarked;
