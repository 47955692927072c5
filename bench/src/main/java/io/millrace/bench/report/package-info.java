/**
 * Results as people and programs read them: a table, JSON with the keys of vLLM's benchmark, CSV, HDR logs, a page.
 *
 * <p>The doors are {@code TextReport}, {@code JsonReport}, {@code HtmlReport}, {@code HdrLog} and {@code Comparison}, which take
 * results that are complete, and {@code CsvWriter} and {@code LiveView}, which are told while a run goes on. {@code CsvWriter}
 * gets samples on event loops and writes them on a thread of its own; all else runs on the thread of the command. No buffer of
 * Netty comes here.
 */
@NullMarked
package io.millrace.bench.report;

import org.jspecify.annotations.NullMarked;
