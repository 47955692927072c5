// Makes of a request that an agent sent what may be kept: its shape, its names and what we asked for stay; the agent's own
// prose, this machine's paths, names, times, ids and keys do not.

import os from 'node:os';

const UUID = /(?<![0-9a-f])[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(?![0-9a-f])/g;
const LONG_HEX = /(?<![0-9a-zA-Z])[0-9a-f]{32,}(?![0-9a-zA-Z])/g;
// In JSON within JSON: folders, and what the repository there is.
const WORKSPACES = /((\\*)"workspaces\\*":)\{(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*\}/g;
const CONNECTION = new Set(['host', 'content-length', 'connection', 'accept-encoding', 'x-stainless-os', 'x-stainless-arch']);
const KEYS = new Set(['authorization', 'x-api-key', 'x-goog-api-key']);
const TIMES = new Set(['create_time', 'turn_started_at_unix_ms']);
const INSTRUCTING = new Set(['system', 'developer']);

/** The neutral form of {@code {method, uri, headers: [[name, value]], body: text}}; `paths` are replaced by `/project`. */
export function neutral(request, paths) {
  const seen = new Map();
  const text = (value) => plain(value, paths, seen);
  const kept = {
    method: request.method,
    uri: request.uri,
    headers: request.headers
      .filter(([name]) => !CONNECTION.has(name.toLowerCase()))
      .map(([name, value]) => [name, KEYS.has(name.toLowerCase()) ? 'KEY' : text(agent(name, value))]),
    body: request.body === '' ? null : walk(JSON.parse(request.body), text, {}),
  };
  const leaks = [...paths, os.hostname(), '/tmp/', '/home/'].filter((mine) => JSON.stringify(kept).includes(mine));
  if (leaks.length) throw new Error(`what would be kept has ${leaks}`);
  return kept;
}

function agent(name, value) {
  return name.toLowerCase() === 'user-agent' ? value.replace(/ \([^)]*\).*$/, '') : value;
}

function plain(value, paths, seen) {
  let text = value;
  for (const path of [...paths].sort((a, b) => b.length - a.length)) text = text.replaceAll(path, '/project');
  return text
    .replace(UUID, (id) => {
      if (!seen.has(id)) seen.set(id, seen.size + 1);
      return `00000000-0000-4000-8000-${String(seen.get(id)).padStart(12, '0')}`;
    })
    .replace(LONG_HEX, (hex) => '0'.repeat(hex.length))
    .replace(/Chunk ID: [0-9a-f]+/g, 'Chunk ID: 000000')
    .replace(/(Wall time:? )[0-9.]+/g, '$10.1')
    .replace(/("(?:create_time|turn_started_at_unix_ms)\\*":)[0-9.]+/g, '$11767225600')
    .replace(WORKSPACES, '$1{$2"/project$2":{}}')
    .replace(/cc_version=[^;]*/, 'cc_version=0');
}

/** `at.role` is the role of the message that a value stands in, `at.key` the name of its field. */
function walk(value, text, at) {
  if (typeof value === 'string') return text(said(value, at));
  if (Array.isArray(value)) return value.map((item) => walk(item, text, at));
  if (value === null || typeof value !== 'object') return value;
  const role = typeof value.role === 'string' ? value.role : at.role;
  const result = {};
  // Codex sends these in any order.
  const entries = at.key === 'client_metadata' ? Object.entries(value).sort() : Object.entries(value);
  for (const [key, item] of entries) {
    const inside = { role: key === 'system' || key === 'instructions' ? 'system' : role, key };
    result[key] = TIMES.has(key) && typeof item === 'number' ? 1767225600 : walk(item, text, inside);
  }
  return result;
}

/** What an agent tells the model in its own words is left out, also where it stands in a user's turn. */
function said(value, { role, key }) {
  if (key === 'description') return value === '' ? '' : 'What it is for.';
  if (key === 'definition') return 'start: /.+/';
  if (!['text', 'content', 'system', 'instructions'].includes(key)) return value;
  if (value.startsWith('x-anthropic-')) return value;
  if (INSTRUCTING.has(role)) return value === '' ? '' : 'How to work.';
  if (key === 'instructions') return 'How to work.';
  const tag = /^\s*<([a-zA-Z_-]+)>/.exec(value);
  if (tag) return `<${tag[1]}>\nWhat the agent says of its place.\n</${tag[1]}>`;
  return value.startsWith('# AGENTS') ? '# AGENTS.md instructions' : value;
}
