"""A proxy for an LLM API as people write it: FastAPI, httpx, a StreamingResponse."""

import os

import httpx
from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse

UPSTREAM = os.environ["UPSTREAM"]
NOT_FORWARDED = {"host", "connection", "content-length", "transfer-encoding"}

app = FastAPI()
client = httpx.AsyncClient(
    base_url=UPSTREAM,
    timeout=None,
    limits=httpx.Limits(max_connections=None, max_keepalive_connections=1024),
)


@app.post("/{path:path}")
async def proxy(path: str, request: Request):
    headers = {k: v for k, v in request.headers.items() if k not in NOT_FORWARDED}
    upstream_request = client.build_request("POST", path, headers=headers, content=await request.body())
    answer = await client.send(upstream_request, stream=True)

    async def stream():
        try:
            async for chunk in answer.aiter_raw():
                yield chunk
        finally:
            await answer.aclose()

    return StreamingResponse(
        stream(), status_code=answer.status_code, media_type=answer.headers.get("content-type")
    )
