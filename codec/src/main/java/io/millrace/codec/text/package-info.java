/**
 * Streamed text in units that can be shown: words, sentences, paragraphs, Markdown blocks.
 *
 * <p>{@link io.millrace.codec.text.TextSegmenter} takes text in pieces of any size and delivers units, of which the texts
 * one after the other are exactly what went in. Where the cuts are does not depend on how the text came in pieces.
 *
 * <p>Each unit is found by a state machine that sees each code point once. Grapheme clusters follow Unicode Standard Annex
 * 29, words and sentences its properties and rules, with those additions that text from a model needs (abbreviations, URLs,
 * {@code 3.14}). Neither ICU4J nor the JDK's BreakIterator is built for this: both look at a text that is whole, so that
 * each token would mean looking again at all that is held, and their last boundary is always in doubt. ICU4J is also 14 MB
 * for a library that is a few hundred kilobytes; the JDK's iterators knew no grapheme clusters before version 20. The JDK's is used for the one thing that needs
 * a dictionary and has one there: words in Thai. The tests hold these machines against ICU4J.
 */
@NullMarked
package io.millrace.codec.text;

import org.jspecify.annotations.NullMarked;
