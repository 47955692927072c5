/**
 * Splits streamed text into units for display: words, sentences, paragraphs, Markdown blocks.
 *
 * <p>The door is {@link io.millrace.codec.text.TextSegmenter}. It takes text in pieces of any size and delivers units.
 * The texts of the units, joined, are exactly the input. The cuts do not depend on the pieces in which the text came. A
 * segmenter takes text until it is finished. It works on text and uses no buffer.
 *
 * <p>Each unit is found by a state machine that sees each code point once. Grapheme clusters follow Unicode Standard
 * Annex 29. Words and sentences follow its properties and rules, with additions for text of models: abbreviations,
 * URLs, {@code 3.14}. ICU4J and the JDK's BreakIterator are not used. Both read a whole text: they would read all held
 * text again for each token, and their last boundary would never be certain. ICU4J has 14 MB, while this library has a
 * few hundred kilobytes. The JDK's iterators do not know grapheme clusters before version 20. Only words in Thai need a
 * dictionary, and for those the JDK's iterator is used. The tests compare these state machines with ICU4J.
 */
@NullMarked
package io.millrace.codec.text;

import org.jspecify.annotations.NullMarked;
