// Runs one SDK over the scenarios given as a JSON array on standard input and prints what the SDK made of each,
// one JSON line per scenario:
//   in   {name, api, baseUrl, model, tools, body}   api names a function of the driver, such as "responses.helper";
//        body is the request of an api whose name ends in `.body`
//   out  {name, text, deltas, spreadMs, toolCalls: [{name, arguments}], usage: {input, output}, finish,
//         error: {classes, status, message}, answers}   answers: of `.body`, as the SDK put them together
// A scenario without `error` is what the SDK's user takes for a success.

if (parseInt(process.versions.node) < 22) {
  console.error(`The SDKs need Node 22 or newer; this is ${process.version}. Run scripts/setup-it.`);
  process.exit(2);
}

const LIMIT_MS = 30_000;
const AT_ONCE = 4;

export const PROMPT = 'Tell me about rivers.';
export const TOOL = {
  name: 'get_weather',
  description: 'The weather of a city now.',
  schema: { type: 'object', properties: { city: { type: 'string' } }, additionalProperties: true },
};

/** What the tool says in a round trip: the second request of an api whose name ends in `.tools`. */
export const RESULT = '18 degrees, light rain';

/** What one scenario showed to the user of the SDK; filled while the stream goes on, so that it outlives an error. */
class Seen {
  text = '';
  deltas = 0;
  toolCalls = [];
  answers = [];
  #first;
  #last;

  delta(text) {
    if (!text) return;
    this.text += text;
    this.deltas++;
    this.#last = performance.now();
    this.#first ??= this.#last;
  }

  /** Starts the tool call of a key, or continues it. */
  toolCall(key, name, args) {
    let call = this.toolCalls.find((c) => c.key === key);
    if (!call) this.toolCalls.push((call = { key, name: '', arguments: '' }));
    if (name) call.name = name;
    if (args) call.arguments += args;
  }

  usage(input, output) {
    if (input !== undefined || output !== undefined) this.tokens = { input, output };
  }

  fail(error) {
    this.error = { classes: classesOf(error), status: statusOf(error), message: String(error?.message ?? error) };
  }

  toLine(name) {
    return JSON.stringify({
      name,
      text: this.text,
      deltas: this.deltas,
      spreadMs: this.deltas ? Math.round(this.#last - this.#first) : 0,
      toolCalls: this.toolCalls.map(({ name, arguments: args }) => ({ name, arguments: args })),
      usage: this.tokens,
      finish: this.finish,
      error: this.error,
      answers: this.answers,
    });
  }
}

function classesOf(error) {
  const classes = [];
  for (let p = Object.getPrototypeOf(Object(error)); p && p !== Object.prototype; p = Object.getPrototypeOf(p)) {
    classes.push(p.constructor.name);
  }
  if (error?.name && !classes.includes(error.name)) classes.unshift(error.name);
  return classes;
}

function statusOf(error) {
  return error?.status ?? error?.statusCode;
}

async function run(apis, scenario) {
  const seen = new Seen();
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`HUNG: the SDK did not end within ${LIMIT_MS} ms`)), LIMIT_MS);
  });
  try {
    const api = apis[scenario.api];
    if (!api) throw new Error(`no such api: ${scenario.api}`);
    await Promise.race([api(scenario, seen), late]);
  } catch (error) {
    seen.fail(error);
  } finally {
    clearTimeout(timer);
  }
  process.stdout.write(seen.toLine(scenario.name) + '\n');
}

/** Runs every scenario on standard input through the functions in `apis`, each called with (scenario, seen). */
export async function drive(apis) {
  let input = '';
  for await (const piece of process.stdin.setEncoding('utf8')) input += piece;
  const queue = JSON.parse(input);
  const worker = async () => {
    for (let s = queue.shift(); s; s = queue.shift()) await run(apis, s);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  // A hung stream would keep the process alive.
  process.exit(0);
}
