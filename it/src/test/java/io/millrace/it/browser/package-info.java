/** A real browser in front of the relay: the playground, and what pages of others read {@code /chat} with. */
package io.millrace.it.browser;
