/** Results as people and programs read them: a table, JSON with the keys of vLLM's benchmark, CSV, HDR logs, a page. */
package io.millrace.bench.report;
