/** {@code millrace bench}: its options, and the ways to run loads with them: one, a sweep, a search, a comparison. */
package io.millrace.bench.run;
