/** What the relay is told: immutable records, checked where they are built, and the loader that reads them from YAML or JSON. */
package io.millrace.server.config;
