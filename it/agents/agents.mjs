// Runs each agent through relays to upstreams of every dialect, in every scenario, and prints what passed. See scripts/agents.

import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { neutral } from './neutral.mjs';

const HERE = path.dirname(fileURLToPath(import.meta.url));
const FIXTURES = path.join(HERE, '../../codec/src/test/resources/agents');
const RUNS = path.join(HERE, 'target');
const TURN_MS = 90_000;
const START_MS = 120_000;
const NOTES = 'A mill race leads water to a wheel.';

/**
 * Upstreams by the dialect they speak: the model that translated requests ask for, where they must arrive, and after how many
 * frames an answer is cut. Twelve are thoughts; a call comes in pieces behind them, but in Gemini as a whole, which is run.
 */
const UPSTREAMS = {
  chat: { model: 'deepseek-reasoner', cut: 13, path: /^\/v1\/chat\/completions$/ },
  responses: { model: 'gpt-6-sol', cut: 13, path: /^(\/patient)?\/v1\/responses$/ },
  messages: { model: 'claude-sonnet-5', cut: 13, path: /^(\/patient)?\/v1\/messages(\?beta=true)?$/ },
  gemini: { model: 'gemini-3-pro', cut: 12, path: /^\/v1beta\/models\/[^/]+enerateContent(\?alt=sse)?$/ },
};

/** How an agent is told where to ask, how it is asked, and which words it ends with. */
const AGENTS = {
  'claude-code': {
    speaks: 'messages',
    environment: (base, home) => ({
      HOME: home,
      ANTHROPIC_BASE_URL: base,
      ANTHROPIC_API_KEY: 'any',
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
      DISABLE_AUTOUPDATER: '1',
    }),
    configure: () => {},
    command: (prompt, goesOn) => [
      'claude', '-p', ...(goesOn ? ['--continue'] : []), '--model', 'claude-sonnet-5', '--effort', 'high',
      '--output-format', 'json', '--allowedTools', 'Bash,Read', '--', prompt,
    ],
    words: (out) => [].concat(JSON.parse(out)).filter((event) => event.type === 'result').pop()?.result,
    reads: NOTES,
  },
  // As docs/agents.md says it: a provider of its own, and a model that Codex does not know.
  codex: {
    speaks: 'responses',
    environment: codexEnvironment,
    configure: (base, home) => codexConfiguration(home, `
model = "mock"
model_provider = "millrace"
[model_providers.millrace]
name = "Millrace"
base_url = "${base}/v1"
env_key = "OPENAI_API_KEY"
`),
    command: codexCommand,
    words: codexWords,
    reads: 'result-3',
  },
  // Its own provider at another address, which tries a WebSocket first, and a model whose tools take scripts.
  'codex (gpt-6)': {
    speaks: 'responses',
    environment: codexEnvironment,
    configure: (base, home) => codexConfiguration(home, `
model = "gpt-6-sol"
openai_base_url = "${base}/v1"
`),
    command: codexCommand,
    words: codexWords,
    reads: 'result-3',
  },
};

function codexEnvironment(base, home) {
  return { HOME: home, CODEX_HOME: path.join(home, '.codex'), OPENAI_API_KEY: 'any' };
}

function codexConfiguration(home, text) {
  fs.mkdirSync(path.join(home, '.codex'), { recursive: true });
  fs.writeFileSync(
    path.join(home, '.codex/config.toml'),
    `check_for_update_on_startup = false\n${text}\n[analytics]\nenabled = false\n`,
  );
}

function codexCommand(prompt, goesOn) {
  const mode = ['--json', '--skip-git-repo-check', '--dangerously-bypass-approvals-and-sandbox'];
  return ['codex', 'exec', ...(goesOn ? ['resume', '--last'] : []), ...mode, prompt];
}

function codexWords(out) {
  return out.split('\n').filter((line) => line.startsWith('{')).map((line) => JSON.parse(line))
    .filter((event) => event.item?.type === 'agent_message').pop()?.item.text;
}

/** Each scenario is told where it runs and throws if it does not go as it must. */
const SCENARIOS = {
  async loop(place) {
    await place.mock.put(`tool-loop,file=${place.notes}`);
    await place.expectWords(await place.run('Do the three steps.'));
    place.expectCount('answers', (await place.asked()).length, 3, 3);
  },

  /** It leaves in the middle of its first answer, whose upstream must be closed, and goes on later. */
  async interrupted(place) {
    await place.mock.put('tool-loop,gap_ms=500');
    const before = (await place.mock.stats()).streams_aborted;
    const first = place.start('Do the three steps.');
    await until('its first answer', TURN_MS, async () => (await place.asked()).length > 0 || first.exited());
    await sleep(1200);
    first.interrupt();
    await first.result;
    await until('the upstream to be closed', 5000, async () => (await place.mock.stats()).streams_aborted > before);
    await place.mock.put(`tool-loop,file=${place.notes}`);
    await place.expectWords(await place.run('Go on with the three steps.', true));
  },

  /** 529 before the first token, twice: the relay tries again, and the agent sees none of it. */
  async overloaded(place) {
    await place.mock.put(`tool-loop,status=529,fail_first=2,group=${place.name},file=${place.notes}`);
    await place.expectWords(await place.run('Do the three steps.'));
    place.expectCount('requests', (await place.asked()).length, 5, 5);
  },

  /** 529 four times, on a route that leaves it to the agent to try again. */
  async patient(place) {
    await place.mock.put(`tool-loop,status=529,fail_first=4,group=${place.name},file=${place.notes}`);
    place.askAt('/patient');
    await place.expectWords(await place.run('Do the three steps.'));
    place.expectCount('requests', (await place.asked()).length, 7, 7);
  },

  /** The first answer breaks off within its call, which must not be run, and is asked for again. */
  async truncated(place) {
    await place.mock.put(`tool-loop,end_after=${place.upstream.cut},fail_first=1,group=${place.name},file=${place.notes}`);
    await place.expectWords(await place.run('Do the three steps.'));
    place.expectCount('requests', (await place.asked()).length, 4, 5);
  },
};

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function until(what, ms, condition) {
  for (const end = Date.now() + ms; !(await condition()); await sleep(50)) {
    if (Date.now() > end) throw new Error(`waited ${ms / 1000} s for ${what}`);
  }
}

/** A process with its output, ended at the latest when this one ends. */
class Program {
  static all = new Set();

  constructor(name, command, args, options) {
    this.out = '';
    this.log = path.join(RUNS, `${name}.log`);
    const log = fs.createWriteStream(this.log, { flags: 'a' });
    this.child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
    this.child.stdout.on('data', (data) => { this.out += data; log.write(data); });
    this.child.stderr.on('data', (data) => log.write(data));
    Program.all.add(this);
    this.result = new Promise((resolve) => this.child.on('close', (code, signal) => {
      Program.all.delete(this);
      log.end();
      resolve(code ?? signal);
    }));
    this.child.on('error', (error) => log.write(`${error}\n`));
  }

  exited() {
    return !Program.all.has(this);
  }

  interrupt() {
    this.child.kill('SIGINT');
  }

  async end() {
    this.child.kill('SIGTERM');
    const late = setTimeout(() => this.child.kill('SIGKILL'), 10_000);
    await this.result;
    clearTimeout(late);
  }
}

async function freePort() {
  const server = net.createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Starts the launcher with `--listen`, and waits until `ready` answers. */
async function millrace(name, args, ready) {
  const base = `http://127.0.0.1:${await freePort()}`;
  const program = new Program(name, process.env.MILLRACE, [args[0], '--listen', base.slice(7), ...args.slice(1)], {});
  await until(`${name} (${program.log})`, START_MS, async () => {
    if (program.exited()) throw new Error(`${name} ended: ${program.log}`);
    return fetch(base + ready).then((response) => response.ok, () => false);
  });
  return { base, program };
}

/** The mock LLM: what it is to answer, what it was asked. */
class Mock {
  static async start() {
    const mock = new Mock();
    mock.base = (await millrace('mock', ['mock'], '/__mock/stats')).base;
    return mock;
  }

  async put(spec) {
    const response = await fetch(`${this.base}/__mock/spec`, { method: 'PUT', body: spec });
    if (!response.ok) throw new Error(await response.text());
  }

  async stats() {
    return (await fetch(`${this.base}/__mock/stats`)).json();
  }

  async requests() {
    return (await fetch(`${this.base}/__mock/requests`)).json();
  }
}

/** One cell of the table: an agent, an upstream, a fresh home and project. */
class Place {
  static async make(name, agent, upstream, mock, base) {
    const place = new Place();
    Object.assign(place, { name: name.replace(/[^a-z0-9]+/g, '-'), agent, upstream, mock });
    place.directory = path.join(RUNS, place.name);
    fs.rmSync(place.directory, { recursive: true, force: true });
    place.home = path.join(place.directory, 'home');
    place.project = path.join(place.directory, 'project');
    place.notes = path.join(place.project, 'notes.txt');
    fs.mkdirSync(place.home, { recursive: true });
    fs.mkdirSync(place.project);
    fs.writeFileSync(place.notes, NOTES);
    // A repository of its own, so that no agent looks into this one.
    execFileSync('git', ['init', '-q'], { cwd: place.project });
    place.base = base;
    place.askAt('');
    place.first = (await mock.requests()).pop()?.number ?? 0;
    return place;
  }

  /** The agent's base URL is the relay's with that path. */
  askAt(path) {
    this.agent.configure(this.base + path, this.home);
    const own = this.agent.environment(this.base + path, this.home);
    this.environment = { PATH: process.env.PATH, TERM: 'dumb', LANG: 'C.UTF-8', ...own };
  }

  start(prompt, goesOn = false) {
    const [command, ...args] = this.agent.command(prompt, goesOn);
    const program = new Program(this.name, path.join(HERE, 'node_modules/.bin', command), args, {
      cwd: this.project,
      env: this.environment,
    });
    const late = setTimeout(() => program.end(), TURN_MS);
    program.result.then(() => clearTimeout(late));
    return program;
  }

  async run(prompt, goesOn) {
    const program = this.start(prompt, goesOn);
    const code = await program.result;
    if (code !== 0) throw new Error(`ended with ${code}: ${last(program.out)}`);
    return program.out;
  }

  /** What the mock was asked for here, all of which must have arrived in the upstream's dialect. */
  async asked() {
    const all = (await this.mock.requests()).filter((request) => request.number > this.first);
    const answers = all.filter((request) => request.method === 'POST');
    const stray = answers.find((request) => !this.upstream.path.test(request.uri));
    if (stray) throw new Error(`asked for ${stray.uri}`);
    return answers;
  }

  async expectWords(out) {
    let words;
    try {
      words = this.agent.words(out);
    } catch (error) {
      throw new Error(`said no JSON: ${error.message}`);
    }
    // Results of calls at once come in any order.
    const whole = words?.startsWith('The tools said: result-1; ') && words.split('; ').length === 3;
    if (!whole || !words.includes('result-2') || !words.includes(this.agent.reads)) {
      throw new Error(`said: ${words ?? last(out)}`);
    }
  }

  expectCount(what, count, least, most) {
    if (count < least || count > most) throw new Error(`${count} ${what} (expected: ${least} to ${most})`);
  }
}

function last(text) {
  return text.trim().slice(-400);
}

function table(results) {
  const names = Object.keys(SCENARIOS);
  const rows = [['agent', 'upstream', 'way', ...names]];
  for (const [agent, { speaks }] of Object.entries(AGENTS)) {
    for (const dialect of Object.keys(UPSTREAMS)) {
      const cells = names.map((name) => results.get([agent, dialect, name].join('|')) ?? '–');
      if (cells.some((cell) => cell !== '–')) {
        rows.push([agent, dialect, speaks === dialect ? 'passed through' : 'translated', ...cells]);
      }
    }
  }
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const lines = rows.map((row) => `| ${row.map((cell, column) => cell.padEnd(widths[column])).join(' | ')} |`);
  lines.splice(1, 0, `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`);
  return lines.join('\n');
}

async function startAll() {
  fs.rmSync(RUNS, { recursive: true, force: true });
  fs.mkdirSync(RUNS, { recursive: true });
  const mock = await Mock.start();
  const bases = {};
  for (const [dialect, { model }] of Object.entries(UPSTREAMS)) {
    const config = path.join(RUNS, `relay-${dialect}.yaml`);
    fs.writeFileSync(config, `
upstreams:
  mock: {url: "${mock.base}", dialect: ${dialect}, model: ${model}}
routes:
  - {match: {paths: ["/patient/*"]}, upstream: mock, retry: off}
  - upstream: mock
`);
    bases[dialect] = (await millrace(`relay-${dialect}`, ['serve', config], '/readyz')).base;
  }
  return { mock, bases };
}

async function runAll(only) {
  const { mock, bases } = await startAll();
  const results = new Map();
  const failures = [];
  for (const [agentName, agent] of Object.entries(AGENTS)) {
    for (const [dialect, upstream] of Object.entries(UPSTREAMS)) {
      for (const [scenarioName, scenario] of Object.entries(SCENARIOS)) {
        const name = `${agentName} ${dialect} ${scenarioName}`;
        if (only && !name.includes(only)) continue;
        let result = 'pass';
        try {
          await scenario(await Place.make(name, agent, upstream, mock, bases[dialect]));
        } catch (error) {
          failures.push(`${name}: ${error.message}`);
          result = `FAIL (${failures.length})`;
        }
        process.stderr.write(`${name}: ${result}\n`);
        results.set([agentName, dialect, scenarioName].join('|'), result);
      }
    }
  }
  console.log(table(results));
  failures.forEach((failure, index) => console.log(`(${index + 1}) ${failure}`));
  return failures.length === 0 && results.size > 0;
}

/** Where nothing is translated, the mock gets what the agents sent. */
async function record() {
  const { mock, bases } = await startAll();
  fs.rmSync(FIXTURES, { recursive: true, force: true });
  fs.mkdirSync(FIXTURES, { recursive: true });
  for (const [agentName, agent] of Object.entries(AGENTS)) {
    const place = await Place.make(`record ${agentName}`, agent, UPSTREAMS[agent.speaks], mock, bases[agent.speaks]);
    await SCENARIOS.loop(place);
    const name = agentName.replace(/[^a-z0-9]+/g, '-').replace(/-$/, '');
    (await place.asked()).forEach((request, index) => {
      const kept = neutral(request, [place.project, place.home, place.directory, path.resolve(HERE, '../..')]);
      fs.writeFileSync(path.join(FIXTURES, `${name}-${index + 1}.json`), `${JSON.stringify(kept, null, 1)}\n`);
    });
  }
  return true;
}

const args = process.argv.slice(2);
const only = args.includes('--only') ? args[args.indexOf('--only') + 1] : null;
let passed = false;
try {
  passed = args.includes('--record') ? await record() : await runAll(only);
} catch (error) {
  console.error(`agents: ${error.message}`);
} finally {
  await Promise.all([...Program.all].map((program) => program.end()));
  if (passed && !args.includes('--keep')) fs.rmSync(RUNS, { recursive: true, force: true });
}
process.exit(passed ? 0 : 1);
