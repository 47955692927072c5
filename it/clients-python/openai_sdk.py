"""Runs the OpenAI SDK over the scenarios given as a JSON array on standard input, and prints what it made of each.

One JSON line per scenario, as clients-node/drive.mjs does it.
"""

import json
import sys

from openai import OpenAI

PROMPT = "Tell me about rivers."


class Seen:
    """What one scenario showed to the user of the SDK."""

    def __init__(self, name):
        self.line = {"name": name, "text": "", "deltas": 0, "spreadMs": 0, "toolCalls": [], "answers": []}

    def responses(self, events):
        for event in events:
            if event.type == "response.output_text.delta":
                self.line["text"] += event.delta
                self.line["deltas"] += 1
            elif event.type in ("response.completed", "response.incomplete", "response.failed"):
                usage = event.response.usage
                self.line["finish"] = event.response.status
                self.line["usage"] = {"input": usage.input_tokens, "output": usage.output_tokens}


def client(scenario):
    return OpenAI(base_url=scenario["baseUrl"] + "/v1", api_key="sk-client", max_retries=0)


def ask(scenario):
    return client(scenario).responses.create(model=scenario["model"], input=PROMPT, stream=True)


def begin(events, at):
    """The first three deltas of a stream that is then left; `at` learns where that was."""
    deltas = 0
    for event in events:
        at["number"] = event.sequence_number
        if event.type == "response.created":
            at["id"] = event.response.id
        yield event
        deltas += event.type.endswith(".delta")
        if deltas == 3:
            events.close()
            return


def responses(scenario, seen):
    seen.responses(ask(scenario))


def resumed(scenario, seen):
    at = {}
    seen.responses(begin(ask(scenario), at))
    rest = client(scenario).responses.retrieve(at["id"], stream=True, starting_after=at["number"])
    seen.responses(rest)


def resumed_by_helper(scenario, seen):
    at = {}
    seen.responses(begin(ask(scenario), at))
    # The helper reads the stream from its start, and shows what comes behind that number.
    with client(scenario).responses.stream(response_id=at["id"], starting_after=at["number"]) as rest:
        seen.responses(rest)
        seen.line["finish"] = rest.get_final_response().status


APIS = {"responses": responses, "responses.resumed": resumed, "responses.resumed.helper": resumed_by_helper}


def main():
    for scenario in json.load(sys.stdin):
        seen = Seen(scenario["name"])
        try:
            APIS[scenario["api"]](scenario, seen)
        except Exception as error:  # what the SDK's user gets
            classes = [kind.__name__ for kind in type(error).__mro__ if kind is not object]
            status = getattr(error, "status_code", None)
            seen.line["error"] = {"classes": classes, "status": status, "message": str(error)}
        print(json.dumps(seen.line), flush=True)


main()
