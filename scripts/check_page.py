"""Whether a folder of format=web says in a browser what its checkpoint says, and how soon.

Usage: python scripts/check_page.py folder=<exported with format=web> [checkpoint=<run>] [texts=500] [seed=1]

Random texts of all of Unicode go through the folder's scripts in headless Chromium, and through ``Predictor`` of the
checkpoint or, where none is given, ``Runner`` of the folder. Prints how many records are the same, scores within 1e-4,
and the milliseconds of loading, of the first answer, of a short text again and again, and of each of the random ones.
"""

import functools
import http.server
import json
import random
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

from hostile_inputs import WORDS

from gru_nlp import Predictor
from gru_nlp.runtime import Runner

NEAR = 1e-4
SHORT = "a great cast, but far too slow"
DRIVER = """<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><img src="held"><script type="module">
const begun = performance.now();
const { Model } = await import("./model.js");
const model = await Model.load();
const loaded = performance.now();
const taken = async (text) => {
  const before = performance.now();
  await model.answer(text);
  return performance.now() - before;
};
const first = await taken(SHORT);
const short = [];
for (let time = 0; time < 200; time++) short.push(await taken(SHORT));
const records = [];
const before = performance.now();
for (const text of TEXTS) records.push(await model.answer(text));
const each = (performance.now() - before) / records.length;
short.sort((one, other) => one - other);
const told = { load: loaded - begun, first, p50: short[100], p99: short[198], each, records };
await fetch("told", { method: "POST", body: JSON.stringify(told) });
</script>"""


class Handler(http.server.SimpleHTTPRequestHandler):
    """Gives the folder and the driver; what the driver tells ends the wait for its picture, and with it the browser."""

    def log_message(self, *parts: Any) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        """Give a file."""
        server: Any = self.server
        if self.path == "/held":
            server.done.wait(600)
            self.send_response(204)
            self.end_headers()
        elif self.path == "/driver.html":
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(server.driver)
        else:
            super().do_GET()

    def do_POST(self) -> None:
        """Take what the driver tells."""
        server: Any = self.server
        server.told = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(204)
        self.end_headers()
        server.done.set()


def text(source: random.Random) -> str:
    """Return odd words, and characters of blocks of Unicode."""
    parts = []
    for _ in range(source.randint(1, 20)):
        start = source.choice((0x20, source.randrange(0x20, 0x32000), source.randrange(0x20, 0x110000 - 0x80)))
        codes = [start + source.randrange(0x80) for _ in range(source.randint(1, 8))]
        letters = "".join(chr(code) for code in codes if not 0xD800 <= code < 0xE000)
        parts.append(source.choice(WORDS) if source.random() < 0.4 else letters)
    return source.choice((" ", " ", "")).join(parts)


def in_browser(folder: Path, texts: list[str]) -> dict[str, Any]:
    """Return what the driver tells of a folder."""
    server: Any = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(folder)))
    given = {"SHORT": SHORT, "TEXTS": texts}
    constants = "".join(f"const {name} = {json.dumps(value)};\n" for name, value in given.items()).replace(
        "<", "\\u003c"
    )
    server.driver = DRIVER.replace('type="module">', 'type="module">' + constants).encode()
    server.done, server.told = threading.Event(), {}
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as own:
        options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={own}", f"--screenshot={own}/p.png"]
        address = f"http://127.0.0.1:{server.server_port}/driver.html"
        subprocess.run(["chromium", *options, address], capture_output=True, timeout=900, check=True)
    server.shutdown()
    told: dict[str, Any] = server.told
    return told


def apart(found: Any, wanted: Any) -> float:
    """Return the greatest difference of two records' numbers; infinite where anything else differs."""
    if isinstance(wanted, dict):
        return max((apart(found.get(name), value) for name, value in wanted.items()), default=0.0)
    if isinstance(wanted, list) and isinstance(found, list) and len(found) == len(wanted):
        return max(map(apart, found, wanted), default=0.0)
    if isinstance(wanted, float) and isinstance(found, float | int):
        return abs(found - wanted)
    return 0.0 if found == wanted else float("inf")


def main() -> None:
    """Compare and print."""
    given = {"texts": "500", "seed": "1"} | dict(argument.split("=", 1) for argument in sys.argv[1:])
    source, folder = random.Random(int(given["seed"])), Path(given["folder"])
    texts = [text(source) for _ in range(int(given["texts"]))]
    wanted = (Predictor.from_checkpoint(given["checkpoint"]) if "checkpoint" in given else Runner(folder))(texts)
    told = in_browser(folder, texts)
    differences = [apart(found, record) for found, record in zip(told["records"], wanted, strict=True)]
    close = [difference for difference in differences if difference <= NEAR]
    print(f"{len(close)} of {len(texts)} records the same, scores at most {max(close, default=0.0):.1e} apart")
    for place in [place for place, difference in enumerate(differences) if difference > NEAR][:5]:
        print(f"  {texts[place]!a}\n    {wanted[place]!a}\n    {told['records'][place]!a}")
    sizes = {name: (folder / name).stat().st_size / 1e6 for name in ("model.onnx", "ort-wasm-simd-threaded.wasm")}
    print(", ".join(f"{name} {size:.2f} MB" for name, size in sizes.items()))
    times = {name: value for name, value in told.items() if name != "records"}
    print("milliseconds: " + ", ".join(f"{name} {value:.1f}" for name, value in times.items()))


if __name__ == "__main__":
    main()
