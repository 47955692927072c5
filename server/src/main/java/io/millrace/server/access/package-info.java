/**
 * Who may ask: pages of other origins, and keys by which a client is told from another. It looks at request heads only, and\n * keeps nothing.\n */
package io.millrace.server.access;
