/**
 * Markdown of a model as elements that can do no harm: HTML in it is shown as the text it is, and what the renderer makes
 * is sanitised all the same. Nothing is loaded for it: an image becomes a link.
 */
import { Marked } from './vendor/marked.js';
import DOMPurify from './vendor/dompurify.js';

const ESCAPES = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
const escaped = (text) => text.replace(/[&<>"']/g, (c) => ESCAPES[c]);

const marked = new Marked({
  gfm: true,
  renderer: {
    html: ({ text, block }) => {
      if (/^<br\s*\/?>$/i.test(text.trim())) return '<br>';
      return block ? `<pre><code>${escaped(text.trimEnd())}</code></pre>` : escaped(text);
    },
    // The language is shown above the code.
    code: ({ text, lang, escaped: done }) =>
      `<pre title="${escaped(lang?.match(/^\S+/)?.[0] ?? '')}"><code>${done ? text : escaped(text)}\n</code></pre>\n`,
    image: ({ href, text }) => `<a href="${escaped(href)}">${escaped(text || href)}</a>`,
    checkbox: ({ checked }) => (checked ? '☑ ' : '☐ '),
  },
});

const ALLOWED = {
  ALLOWED_TAGS: [
    ...['p', 'br', 'hr', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'blockquote', 'pre', 'code', 'ul', 'ol', 'li'],
    ...['strong', 'em', 'del', 'a', 'table', 'thead', 'tbody', 'tr', 'th', 'td'],
  ],
  ALLOWED_ATTR: ['href', 'title', 'start', 'align'],
  ALLOWED_URI_REGEXP: /^(?:https?|mailto):/i,
  // Else their values would have to be URIs, too.
  ADD_URI_SAFE_ATTR: ['start', 'align'],
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
  RETURN_DOM_FRAGMENT: true,
};

const BLOCKS = new Set(['P', 'H1', 'H2', 'H3', 'H4', 'H5', 'H6', 'UL', 'OL', 'LI', 'BLOCKQUOTE', 'TH', 'TD']);

DOMPurify.addHook('afterSanitizeAttributes', (element) => {
  if (element.nodeName === 'A' && element.hasAttribute('href')) {
    element.setAttribute('target', '_blank');
    element.setAttribute('rel', 'noopener noreferrer');
  }
  // Each block in the direction of its own text.
  if (BLOCKS.has(element.nodeName)) element.setAttribute('dir', 'auto');
  // Wide ones scroll by themselves; those who use no mouse must be able to reach them.
  if (element.nodeName === 'PRE' || element.nodeName === 'TABLE') element.setAttribute('tabindex', '0');
});

/** Shows the text in the element. Blocks that stay the same stay in place, and what is selected in them. */
export function show(text, element) {
  const fragment = DOMPurify.sanitize(marked.parse(text), ALLOWED);
  fragment.querySelectorAll('pre').forEach(frame);
  const fresh = [...fragment.childNodes];
  let same = 0;
  while (same < fresh.length && element.childNodes[same]?.isEqualNode(fresh[same])) same++;
  while (element.childNodes.length > same) element.lastChild.remove();
  element.append(...fresh.slice(same));
}

/** Puts code under a line with its language and a button that copies it. */
function frame(code) {
  const copy = document.createElement('button');
  copy.type = 'button';
  copy.className = 'copy';
  copy.textContent = 'Copy';
  const language = document.createElement('span');
  language.textContent = code.title;
  code.removeAttribute('title');
  const head = document.createElement('div');
  head.className = 'code-head';
  head.append(language, copy);
  const framed = document.createElement('div');
  framed.className = 'code';
  code.replaceWith(framed);
  framed.append(head, code);
}
