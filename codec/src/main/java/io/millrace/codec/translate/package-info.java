/**
 * Translates between the dialects of language models: a client of one dialect uses an upstream of another.
 *
 * <pre>
 * client's request --ClientFormat--&gt; ModelRequest --UpstreamFormat--&gt; upstream's request
 * upstream's frame --DeltaReader---&gt; DeltaSink    --DeltaWriter-----&gt; client's frames
 * upstream's answer -DeltaReader---&gt; DeltaSink    --AnswerWriter----&gt; client's answer
 * </pre>
 *
 * <p>There is one model of a request ({@link io.millrace.codec.translate.ModelRequest}) and one of an answer (the calls
 * of {@link io.millrace.codec.translate.DeltaSink}). Each dialect reads and writes these, and knows no other dialect.
 * {@link io.millrace.codec.translate.Translation} is the entry point. There is one for each exchange. It translates the
 * request first, and then the answer, which is a stream or a body. Buffers remain with the caller.
 *
 * <p>A request that the upstream's dialect cannot express is refused with a
 * {@link io.millrace.codec.translate.TranslationException} that has the client's field.
 */
@NullMarked
package io.millrace.codec.translate;

import org.jspecify.annotations.NullMarked;
