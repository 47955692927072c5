/** What clients speak, and how they are answered where their upstream speaks otherwise: between the relay and the codec. */
package io.millrace.server.format;
