"""The server's key: refused, it rests while the public list is read; mended, it is used again; never is it shown."""

from pathlib import Path

import pytest

from tests.endtoend.conftest import settings
from tests.endtoend.process import ServerProcess
from tests.practice.faults import Fault
from tests.practice.log import fingerprint
from tests.practice.upstream import PracticeUpstream

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.process]

KEY = "sk-or-v1-practice-0123456789abcdef"


async def test_a_refused_key_rests_and_the_public_list_is_read_without_it(
    upstream: PracticeUpstream, tmp_path: Path
) -> None:
    upstream.set_keys("openrouter", {KEY: None})
    async with ServerProcess(tmp_path, settings(upstream), env={"OPENROUTER_API_KEY": KEY}) as server:
        await server.refresh()
        assert upstream.seen("openrouter")[-1].headers["Authorization"] == fingerprint(f"Bearer {KEY}")

        upstream.set_fault("openrouter", Fault.UNAUTHORIZED, path="/models", times=1)
        (result,) = await server.refresh("openrouter")
        assert (result["outcome"], result["error"]["code"]) == ("UNCHANGED", "UNAUTHORIZED")
        provider = await server.provider("openrouter")
        assert (provider["modelCount"], provider["health"]["status"]) == (10, "DEGRADED")
        assert {model["status"] for model in provider["models"]} == {"LIMITED"}
        assert "rejected the key" in provider["models"][0]["errorMessage"]
        calls = len(upstream.seen("openrouter"))
        resting = (await upstream.arrived(calls + 2, "openrouter"))[calls:]
        assert not any("Authorization" in seen.headers for seen in resting), "polls leave the key alone"

        for _ in range(2):  # an admin who has mended the key says so by a refresh
            (result,) = await server.refresh("openrouter")
        assert result["error"] is None
        mended = await server.provider("openrouter")
        assert (mended["health"]["status"], mended["health"]["error"]) == ("HEALTHY", None)
        assert KEY not in f"{provider}{mended}{server.stderr}"
