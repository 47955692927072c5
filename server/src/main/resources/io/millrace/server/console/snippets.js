/** A request to `/chat` as programs make it. The key is never in it. */

export function snippet(language, request, url) {
  const json = JSON.stringify({ ...request, format: 'json' }, null, 2);
  switch (language) {
    case 'curl':
      return `curl -N ${url} -H 'Content-Type: application/json' -H 'Accept: text/event-stream' -d '${json.replaceAll("'", "'\\''")}'\n`;
    case 'python':
      return `import json
import urllib.request

request = urllib.request.Request(
    ${JSON.stringify(url)},
    data=json.dumps(json.loads(${JSON.stringify(json)})).encode(),
    headers={"Content-Type": "application/json", "Accept": "text/event-stream"},
)
with urllib.request.urlopen(request) as answer:
    for line in answer:
        if line.startswith(b"data: {"):
            print(json.loads(line[6:]).get("text", ""), end="", flush=True)
`;
    default:
      return `const response = await fetch(${JSON.stringify(url)}, {
  method: 'POST',
  headers: { 'Content-Type': 'application/json', Accept: 'text/event-stream' },
  body: JSON.stringify(${json}),
});
for await (const text of response.body.pipeThrough(new TextDecoderStream())) console.log(text);
`;
  }
}
