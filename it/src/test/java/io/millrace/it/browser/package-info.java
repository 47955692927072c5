/**
 * A real browser in front of the relay: the playground, and the ways in which pages of other origins read {@code /chat}.
 *
 * <p>The door for tests is {@code Chromium}, which starts the browser and opens a {@code Tab}; {@code ChatRelay} is the relay with
 * the mock behind it. A test closes what it opens. A tab is driven by one thread over one connection ({@code DevTools}).
 */
package io.millrace.it.browser;
