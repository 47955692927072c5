/**
 * Reports for people and programs: a table, JSON with the keys of vLLM's benchmark, CSV, HDR logs, an HTML page.
 *
 * <p>The doors are {@code TextReport}, {@code JsonReport}, {@code HtmlReport}, {@code HdrLog} and {@code Comparison},
 * which take complete results, and {@code CsvWriter} and {@code LiveView}, which receive samples and progress during a
 * run. {@code CsvWriter} receives samples on event loops and writes them on its own thread. Everything else runs on the
 * thread of the command. This package handles no Netty buffer.
 */
@NullMarked
package io.millrace.bench.report;

import org.jspecify.annotations.NullMarked;
