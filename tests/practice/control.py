"""The control endpoint of the practice upstream when it runs by itself: faults and lists by HTTP."""

from dataclasses import asdict

import orjson
from aiohttp import web
from pydantic import BaseModel, ValidationError

from tests.practice.faults import Fault
from tests.practice.rows import Row, big_list
from tests.practice.upstream import PracticeUpstream


class _Order(BaseModel, extra="forbid", frozen=True):
    provider: str
    fault: Fault | None
    path: str | None = None
    times: int | None = None


def routes(upstream: PracticeUpstream) -> list[web.RouteDef]:
    """Give the routes: POST and GET /_control, GET /_log, PUT /_list/{provider}."""

    async def order(request: web.Request) -> web.Response:
        try:
            wanted = _Order.model_validate_json(await request.read())
        except ValidationError as error:
            return _json({"errors": error.errors(include_url=False, include_context=False)}, status=400)
        upstream.set_fault(wanted.provider, wanted.fault, wanted.path, wanted.times)
        return _json(upstream.faults())

    async def state(_: web.Request) -> web.Response:
        return _json({"on": upstream.faults(), "known": list(Fault)})

    async def log(request: web.Request) -> web.Response:
        return _json([asdict(seen) for seen in upstream.seen(request.query.get("provider"))])

    async def replace_list(request: web.Request) -> web.Response:
        body = await request.read()
        rows: list[Row] = big_list(int(request.query["big"])) if "big" in request.query else orjson.loads(body)
        upstream.set_list(request.match_info["provider"], rows)
        return _json({"rows": len(rows)})

    return [
        web.post("/_control", order),
        web.get("/_control", state),
        web.get("/_log", log),
        web.put("/_list/{provider}", replace_list),
    ]


def _json(body: object, status: int = 200) -> web.Response:
    return web.Response(status=status, body=orjson.dumps(body) + b"\n", content_type="application/json")
