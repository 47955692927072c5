// Asks over HTTP/2 with Node's own clients: the module `http2`, and `fetch`. Nothing of npm is used.
// Standard input has a JSON array; each task is begun at once, and prints one JSON line:
//   in   {name, way, url, json, ca, leaveAfter}   way: "http2" or "fetch"; ca: a PEM file; leaveAfter: how many pieces of
//        the body to wait for before this stream alone is left, 0 for never
//   out  {name, status, body, spreadMs, error}    spreadMs: between the first and the last piece of the body
// The tasks of `http2` share one connection; `fetch` opens one for each.
import { readFileSync } from 'node:fs';
import http2 from 'node:http2';

const headers = { 'content-type': 'application/json' };
const sessions = new Map();
let agent;

function session({ url, ca }) {
  const { origin } = new URL(url);
  if (!sessions.has(origin)) sessions.set(origin, http2.connect(origin, { ca: readFileSync(ca) }));
  return sessions.get(origin);
}

async function* byHttp2(task, said) {
  const { pathname, search } = new URL(task.url);
  const stream = session(task).request({ ':method': 'POST', ':path': pathname + search, ...headers });
  stream.on('response', (head) => (said.status = head[':status']));
  stream.end(task.json);
  try {
    yield* stream.setEncoding('utf8');
  } finally {
    stream.close(http2.constants.NGHTTP2_CANCEL);
  }
}

/** Node has HTTP/2 in `fetch`, and no name for the switch: the class of its agent is reached by way of the one in use. */
async function agentOf({ ca }) {
  await fetch('data:,').catch(() => {});
  const Agent = globalThis[Symbol.for('undici.globalDispatcher.1')].constructor;
  return new Agent({ allowH2: true, connect: { ca: readFileSync(ca) } });
}

async function* byFetch(task, said) {
  const leaving = new AbortController();
  const response = await fetch(task.url, {
    method: 'POST',
    headers,
    body: task.json,
    dispatcher: await (agent ??= agentOf(task)),
    signal: leaving.signal,
  });
  said.status = response.status;
  const text = response.body.pipeThrough(new TextDecoderStream());
  try {
    for await (const piece of text) yield piece;
  } finally {
    leaving.abort();
  }
}

async function run(task) {
  const said = { name: task.name, status: 0, body: '', spreadMs: 0, error: null };
  let first;
  let pieces = 0;
  try {
    for await (const piece of { http2: byHttp2, fetch: byFetch }[task.way](task, said)) {
      said.body += piece;
      first ??= performance.now();
      said.spreadMs = Math.round(performance.now() - first);
      if (++pieces === task.leaveAfter) break;
    }
  } catch (error) {
    said.error = `${error} ${error.cause ?? ''}`;
  }
  return said;
}

// `fetch` lets the process end while streams of its connection are open.
const alive = setInterval(() => {}, 10_000);
let input = '';
for await (const piece of process.stdin.setEncoding('utf8')) input += piece;
for (const said of await Promise.all(JSON.parse(input).map(run))) process.stdout.write(JSON.stringify(said) + '\n');
for (const open of sessions.values()) open.close();
await (await agent)?.close();
clearInterval(alive);
